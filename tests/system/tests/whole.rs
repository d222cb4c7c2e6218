//! An order goes all the way, on real processes.

use cafe_system_tests::{Cafe, MOMENT, Rush};

#[test]
fn orders_go_all_the_way_and_the_cafe_closes_on_ctrl_c() {
    let mut cafe = Cafe::up(&["--robot", "--robot-speed", "1000"]);
    let rush = Rush::start(&cafe, 50, &["tok_ok", "tok_declined"]);
    rush.wait_for_customers(50);
    rush.stop().demand_all_well(&cafe, &[]);
    let statuses: Vec<_> = cafe.settle(MOMENT).iter().map(|order| order["status"].clone()).collect();
    assert!(statuses.contains(&"picked_up".into()) && statuses.contains(&"declined".into()), "{statuses:?}");
    assert!(cafe.close().success());
    assert!(cafe.pids().is_empty());
}
