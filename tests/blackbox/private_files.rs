//! What is in the data folder is the server's own user's to read, whatever the folder allows.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::TestServer;

fn files_in(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files_in(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The files that others may read or write.
fn readable_by_others(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    files_in(folder, &mut files);
    assert!(files.iter().any(|path| path.ends_with("secrets.toml")));
    let mode = |path: &PathBuf| {
        fs::metadata(path)
            .expect("it is there")
            .permissions()
            .mode()
    };
    files.retain(|path| mode(path) & 0o077 != 0);
    files
}

#[tokio::test]
async fn data_files_are_private_to_the_server() {
    let mut server = TestServer::example("cabinet").await;
    let ann = server.owner("ann").await;
    ann.post("general", "hello").await;
    ann.add_file("notes.txt", b"notes").await;
    assert_eq!(readable_by_others(server.data()), Vec::<PathBuf>::new());

    let Some(database) = server.database_file().map(Path::to_owned) else {
        return;
    };
    server.stop().await;
    fs::set_permissions(&database, Permissions::from_mode(0o644)).expect("its mode changes");
    server.start_again().await;
    assert_eq!(readable_by_others(server.data()), Vec::<PathBuf>::new());
}
