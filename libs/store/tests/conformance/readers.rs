//! Reading beside the writer.

use std::sync::mpsc::channel;
use std::time::Duration;

use cafe_store::{Connection, Error, Readers};

use crate::home::{Home, add, owners};

on_both!(
    readers_work_beside_the_writer_and_see_what_is_committed,
    a_reader_whose_asker_has_gone_still_counts_and_one_that_forgot_to_end_pins_nothing,
    a_read_that_fails_is_told_and_the_next_works,
);

fn on_a_runtime(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(work);
}

fn readers_work_beside_the_writer_and_see_what_is_committed(home: &Home) {
    let mut db = home.open();
    let readers = Readers::new(&home.database, 2);
    db.begin().unwrap();
    add(&mut db, 1, "minji").unwrap();
    let read = |readers: &Readers| {
        let readers = readers.clone();
        tokio::spawn(async move { readers.read(owners).await })
    };
    on_a_runtime(async {
        let reads: Vec<_> = (0..8).map(|_| read(&readers)).collect();
        for read in reads {
            assert!(read.await.unwrap().unwrap().is_empty());
        }
    });
    db.commit().unwrap();
    on_a_runtime(async { assert_eq!(read(&readers).await.unwrap().unwrap(), ["minji"]) });
}

fn a_reader_whose_asker_has_gone_still_counts_and_one_that_forgot_to_end_pins_nothing(home: &Home) {
    let mut db = home.open();
    let readers = Readers::new(&home.database, 1);
    let (begun, has_begun) = channel();
    let (go_on, may_go_on) = channel::<()>();
    on_a_runtime(async {
        let read = move |db: &mut Connection| {
            begun.send(()).unwrap();
            may_go_on.recv().unwrap();
            db.begin_reading()?;
            owners(db)
        };
        let gone = tokio::spawn({
            let readers = readers.clone();
            async move { readers.read(read).await }
        });
        tokio::task::spawn_blocking(move || has_begun.recv().unwrap()).await.unwrap();
        gone.abort();
        assert!(gone.await.is_err_and(|error| error.is_cancelled()));
        let second = tokio::time::timeout(Duration::from_millis(200), readers.read(owners)).await;
        assert!(second.is_err(), "two reads at once where one is the limit");
        go_on.send(()).unwrap();
        assert!(readers.read(owners).await.unwrap().is_empty());
    });
    add(&mut db, 1, "minji").unwrap();
    on_a_runtime(async { assert_eq!(readers.read(owners).await.unwrap(), ["minji"]) });
}

fn a_read_that_fails_is_told_and_the_next_works(home: &Home) {
    let mut db = home.open();
    add(&mut db, 1, "minji").unwrap();
    let readers = Readers::new(&home.database, 1);
    on_a_runtime(async {
        let failed = readers.read(|db| {
            db.begin_reading()?;
            db.query("SELECT 1 FROM saucers", &[], |row| row.int(0))
        });
        assert!(matches!(failed.await, Err(Error::Absent(_))));
        let panicked = readers.read(|_| -> Result<(), Error> { panic!("a bug in a page") }).await;
        assert!(panicked.is_err());
        assert_eq!(readers.read(owners).await.unwrap(), ["minji"]);
    });
}
