//! Every statement of every service is prepared on both databases, as that service's own migrations have made them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use cafe_delivery::{Place, Rungs, Tables, prepare_all};
use cafe_rig::Postgres;
use cafe_store::{Connection, Migration};

#[test]
fn every_statement_of_every_service_can_be_run_on_a_file_and_on_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let postgres = Postgres::start().unwrap();
    let on_a_server = Rungs { database: Some(postgres.url()), ..Rungs::default() };
    for place in [Place::new(folder.path()), Place::on(folder.path(), &on_a_server).unwrap()] {
        prepare::<cafe_order::Orders>(&place);
        prepare::<cafe_payment::domain::Cashier>(&place);
        prepare::<cafe_barista::Barista>(&place);
    }
}

fn prepare<D: Tables>(place: &Place) {
    let database = place.database(D::SOURCE);
    let migrations: Vec<Migration> = cafe_delivery::MIGRATIONS.iter().chain(D::MIGRATIONS).copied().collect();
    let mut db = Connection::open(&database, &migrations).unwrap();
    prepare_all::<D>(&mut db).unwrap_or_else(|error| panic!("{database}: {error}"));
}

/// What is not on the lists is not prepared above.
#[test]
fn every_description_of_a_statement_is_on_its_list() {
    fn demand<D: Tables>(source: &str) {
        let listed = (D::STATEMENTS.puts.len(), D::STATEMENTS.finds.len());
        let written = (source.matches("Put::new(").count(), source.matches("Find::new(").count());
        assert_eq!(listed, written, "{}", D::SOURCE);
        assert!(!D::STATEMENTS.texts.is_empty(), "{}", D::SOURCE);
    }
    demand::<cafe_order::Orders>(include_str!("../../order/src/store.rs"));
    demand::<cafe_payment::domain::Cashier>(include_str!("../../payment/src/store.rs"));
    demand::<cafe_barista::Barista>(include_str!("../../barista/src/store.rs"));
}
