//! Layer 0, which every other layer uses: settings, the database, ids, the clock, errors,
//! languages, telemetry. Nothing here knows that there is a web.

pub mod clock;
pub mod data_folder;
pub mod db;
pub mod error;
pub mod exit_code;
pub mod ids;
pub mod keyed_lock;
pub mod list;
pub mod local_time;
pub mod locale;
pub mod places;
pub mod process_usage;
pub mod public_address;
pub mod secrets;
pub mod security_log;
pub mod settings;
pub mod telemetry;
pub mod text;

/// A number of bytes for people, rounded down: `512 KB`, `1.5 GB`. A KB is 1,024 bytes, as limits
/// and most file managers count them.
pub fn bytes_in_words(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let (mut tenths, mut unit) = (bytes * 10 / 1024, 0);
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    if tenths % 10 == 0 || tenths >= 100 {
        format!("{} {}", tenths / 10, UNITS[unit])
    } else {
        format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn bytes_in_words_round_down_to_a_tenth() {
        for (bytes, words) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KB"),
            (1536, "1.5 KB"),
            (11 << 20, "11 MB"),
            (3 << 29, "1.5 GB"),
            (u64::MAX / 16, "1048575 TB"),
        ] {
            assert_eq!(super::bytes_in_words(bytes), words);
        }
    }
}
