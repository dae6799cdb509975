//! What people do, one file each. Every action asks for the right itself.

pub mod add;
pub mod clear;
pub mod reorder;
pub mod set_done;
