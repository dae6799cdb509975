//! The list of modules that a server is made of.

use super::{Bind, Declarations, Handlers, Module};
use crate::engine::bus::Event;
use crate::engine::files;
use crate::engine::jobs::JobsChanged;
use crate::engine::live::{SocketClosed, SocketOpened};
use crate::engine::mail;
use crate::engine::search;

/// The modules of a server. `C` is the context from which their states are created.
pub struct Modules<C> {
    declared: Declarations,
    binds: Vec<Bind<C>>,
}

impl<C: 'static> Modules<C> {
    /// A list with the engine's own module and topics only.
    pub fn new() -> Self {
        let mut declared = Declarations::default();
        declared.merge(files::module().declared);
        declared.merge(mail::module().declared);
        declared.merge(search::module().declared);
        declared.topics.extend([
            SocketOpened::topic(),
            SocketClosed::topic(),
            JobsChanged::topic(),
        ]);
        Self {
            declared,
            binds: Vec::new(),
        }
    }

    /// Adds a module, and the function that creates its state.
    pub fn add<S: Clone + Send + Sync + 'static>(
        mut self,
        module: Module<S>,
        state: impl FnOnce(&C) -> S + 'static,
    ) -> Self {
        let Module {
            declared, binds, ..
        } = module;
        self.declared.merge(declared);
        self.binds.push(Box::new(move |context, handlers| {
            let state = state(context);
            binds.into_iter().for_each(|bind| bind(&state, handlers));
        }));
        self
    }

    /// All declarations that need no state.
    pub fn declarations(&self) -> &Declarations {
        &self.declared
    }

    /// Creates each module's state and binds the module's handlers to it.
    pub fn bind(self, context: &C) -> Handlers {
        let mut handlers = Handlers::default();
        for bind in self.binds {
            bind(context, &mut handlers);
        }
        handlers
    }
}

impl<C: 'static> Default for Modules<C> {
    fn default() -> Self {
        Self::new()
    }
}
