//! Floor 3: features. They never import one another; they meet on the bus.

pub mod admin;
pub mod chat;
pub mod letters;
pub mod moderation;
pub mod notices;
pub mod presence;
pub mod reminders;
pub mod search;
pub mod terminals;
pub mod voice;
