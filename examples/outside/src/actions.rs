//! The actions, one file each. Every action checks its permission itself.

pub mod add;
pub mod clear;
pub mod reorder;
pub mod set_done;
