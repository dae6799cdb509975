//! Floor 0: what everything stands on. Settings, the database, ids, the clock, errors, words, telemetry.
//! Nothing here knows that there is a web.

pub mod clock;
pub mod db;
pub mod error;
pub mod ids;
pub mod locale;
pub mod secrets;
pub mod settings;
pub mod telemetry;
