//! A database on which a server has run once, copied for each test's server: an empty one costs
//! all the migrations, which take longer than most tests.

use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::OnceLock;

use super::server::BINARY;
use super::{Database, Folder, Instance, Postgres, PostgresDatabase, TestServer};

/// Puts a copy of the file into a folder of data.
pub fn copy_file_to(data: &Path) {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    let bytes = FILE.get_or_init(|| {
        let folder = Folder::new();
        let file = folder.path().join("tidepool.sqlite");
        let server = run_once(folder, Database::Sqlite(file.clone()));
        let bytes = std::fs::read(&file).expect("a stopped server's database is one file");
        drop(server);
        bytes
    });
    let mut private = std::fs::DirBuilder::new();
    private.recursive(true).mode(0o700);
    private.create(data).expect("a folder can be made");
    let mut file = std::fs::OpenOptions::new();
    file.create_new(true).write(true).mode(0o600);
    let file = file.open(data.join("tidepool.sqlite"));
    std::io::Write::write_all(&mut file.expect("a file can be made"), bytes).expect("it is copied");
}

/// A copy on the cluster that the test program shares.
pub fn new_copy() -> PostgresDatabase {
    static ORIGINAL: OnceLock<PostgresDatabase> = OnceLock::new();
    let original = ORIGINAL.get_or_init(|| {
        let database = Database::Postgres(Postgres::shared().create_database());
        let mut server = run_once(Folder::new(), database);
        match server.move_to(Database::Sqlite(server.data().join("tidepool.sqlite"))) {
            Database::Postgres(database) => database,
            Database::Sqlite(_) => unreachable!("it ran on PostgreSQL"),
        }
    });
    Postgres::shared().copy_database(original)
}

/// A server that has run on this empty database and has stopped.
fn run_once(folder: Folder, database: Database) -> TestServer {
    let address = database.address();
    let connections = address.map(|address| ("TIDEPOOL_DATABASE".to_owned(), address));
    let connections = Vec::from_iter(connections);
    let run = async move || {
        let instance = Instance::new(Path::new(BINARY), folder, connections.clone());
        let mut server = TestServer::of_instances(vec![instance], database, connections);
        server.stop().await;
        // Each server plans its jobs when it starts: they are not due by the time of this one,
        // which may have planned none yet.
        let database = server.database();
        database.execute("DELETE FROM job_schedules").await;
        server
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime starts");
    // On a thread of its own, as the test that is first has a runtime on this one.
    let ran = std::thread::spawn(move || runtime.block_on(run()));
    ran.join().expect("a server runs once")
}
