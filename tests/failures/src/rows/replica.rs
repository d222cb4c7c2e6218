//! Several processes of a service.

rows! {
    replica "Replicas, on PostgreSQL";

    LEADER_KILLED = "the replica that leads its service is killed" {
        customer: "Is refused by that one and served by the next; what that service hears comes up to 5 s late",
        owner: "Another leads within 5 s and logs `this process leads`",
        others: "Hear on from the new leader; nothing takes effect twice",
        shown_by: ["tests/system/tests/replicas/leader.rs" => ["the_leader_of_each_service_is_killed_and_another_takes_over"]],
        simulated: [],
    }

    LEADER_FROZEN = "the replica that leads is frozen, outlived, and wakes" {
        customer: "Is served by the others",
        owner: "It writes nothing when it wakes, asks no vendor, and ends with exit code 70; started again it follows",
        others: "Hear the new leader only",
        shown_by: [
            "tests/system/tests/replicas/leader.rs" => ["the_leader_of_each_service_is_frozen_past_its_lease_and_writes_nothing_when_it_wakes"],
            "apps/payment/src/worker/cases.rs" => ["a_charge_is_not_asked_for_too_late_nor_by_two_nor_of_a_vendor_that_fails"],
            "libs/delivery/tests/service.rs" => ["the_same_service_is_not_started_twice_and_one_whose_place_was_taken_writes_no_more"],
        ],
        simulated: ["is taken over"],
    }

    LEADER_CANNOT_BEGIN = "a replica takes the lead and cannot read where it has to begin" {
        customer: "Is refused until a replica that can begin is there",
        owner: "It ends with exit code 70 rather than lead and be deaf; whoever is started next leads",
        others: "Go on",
        shown_by: ["tests/system/tests/replicas/leader.rs" => ["a_replica_that_takes_the_lead_and_cannot_begin_ends_and_the_next_one_leads"]],
        simulated: [],
    }

    ROLLED = "every replica is stopped and started again in turn" {
        customer: "Is refused once at most, and served by the next one",
        owner: "Each ends in order",
        others: "Go on",
        shown_by: ["tests/system/tests/replicas/rolling.rs" => ["every_replica_is_restarted_in_turn_and_nobody_is_refused_twice"]],
        simulated: [],
    }
}
