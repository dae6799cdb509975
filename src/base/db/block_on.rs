//! How the writer's thread waits for the connection's thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

/// For the writer's thread to look for the answer of the connection's thread before it sleeps: a
/// statement takes a fraction of it, a commit to a disk longer.
const SPIN_TIME: Duration = Duration::from_micros(50);

/// Drives the writer. It waits for the connection's thread several times in each write, for some
/// microseconds each: a thread that sleeps and is woken each time takes three times as long, so
/// this one looks for [`SPIN_TIME`] before it sleeps. It does not yield meanwhile: beside busy
/// processes that would cost a time slice, milliseconds, for each statement. With a single core
/// it sleeps at once, since nobody could answer; without `may_spin`, too.
pub(super) fn block_on<F: Future>(may_spin: bool, future: F) -> F::Output {
    let signal = Arc::new(Signal {
        is_set: AtomicBool::new(false),
        thread: std::thread::current(),
    });
    let waker = Waker::from(signal.clone());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let spin_time = if may_spin && cores > 1 {
        SPIN_TIME
    } else {
        Duration::ZERO
    };
    let mut future = std::pin::pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        let started = Instant::now();
        while !signal.is_set.swap(false, Ordering::AcqRel) {
            if started.elapsed() < spin_time {
                std::hint::spin_loop();
            } else {
                std::thread::park();
            }
        }
    }
}

/// Wakes the writer's thread.
struct Signal {
    is_set: AtomicBool,
    thread: Thread,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_set.store(true, Ordering::Release);
        self.thread.unpark();
    }
}
