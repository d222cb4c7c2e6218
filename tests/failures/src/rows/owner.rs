//! What the owner does, and what is around the program.

rows! {
    owner "What the owner does, and what is around the program";

    STARTED_TWICE = "a cafe or a service is started twice on one folder" {
        customer: "Nothing",
        owner: "The second says in one sentence that it `already runs`, and ends with exit code 1",
        others: "Go on",
        shown_by: [
            "apps/cafe/tests/program/refusals.rs" => [
                "a_second_up_on_the_same_data_is_refused",
                "a_service_that_runs_already_is_refused",
                "up_leaves_a_service_alone_that_somebody_started_alone",
            ],
            "libs/delivery/tests/service.rs" => ["the_same_service_is_not_started_twice_and_one_whose_place_was_taken_writes_no_more"],
        ],
        simulated: [],
    }

    PORT_TAKEN = "a port is taken, be it by another cafe" {
        customer: "The cafe is not open",
        owner: "`port 3000 is in use`, exit code 1, and nothing is left running",
        others: "Are ended",
        shown_by: [
            "apps/cafe/tests/program/refusals.rs" => [
                "a_port_in_use_is_refused_by_up_and_by_the_service_alone",
                "a_port_of_another_cafe_is_refused_though_that_one_answers",
            ],
        ],
        simulated: [],
    }

    MOVE_KILLED = "`cafe move` is killed, again and again, while customers come" {
        customer: "Orders go on; some may be refused, all of them within less than 10 s",
        owner: "The cafe works on where it is; the next `cafe move` begins anew and ends well",
        others: "Go on with the same logs",
        shown_by: ["tests/system/tests/rungs/moved.rs" => ["a_cafe_moves_up_while_customers_come_however_often_the_move_is_killed"]],
        simulated: [],
    }

    MOVED_ONTO_ANOTHER = "a cafe is to be moved onto another one's data" {
        customer: "Nothing",
        owner: "`cafe move` fails with `another cafe keeps its data there`",
        others: "Nothing",
        shown_by: ["tests/system/tests/rungs/moved.rs" => ["a_cafe_is_not_moved_onto_another_ones_data"]],
        simulated: [],
    }

    OTHER_VERSION = "the program before works beside this one, whichever leads" {
        customer: "Orders are taken and made",
        owner: "Replicas end in order and the other program's take over, both ways",
        others: "Hear each other; a type that is not known is counted and passed over",
        shown_by: [
            "tests/system/tests/versions.rs" => ["orders_go_through_both_programs_whichever_leads"],
            "libs/delivery/tests/turn.rs" => ["a_type_that_a_newer_program_added_is_counted_and_the_order_goes_on"],
            "libs/store/tests/conformance/migrations.rs" => ["an_older_program_works_on_beside_what_a_newer_one_has_added"],
        ],
        simulated: [],
    }

    COLLECTOR_AWAY = "the collector of traces is gone, or never answers" {
        customer: "Orders are answered 201 within a second",
        owner: "Each service logs `traces are lost for now; nothing else is affected`, once, and still ends in less than 5 s",
        others: "Go on",
        shown_by: ["tests/system/tests/traces/main.rs" => ["a_collector_that_is_gone_or_never_answers_harms_nothing"]],
        simulated: [],
    }

    STRANGE_CERTIFICATE = "the database server shows a certificate that nobody vouches for" {
        customer: "The cafe is not open",
        owner: "The log says `certificate verify failed`",
        others: "Nothing",
        shown_by: ["tests/system/tests/tls.rs" => ["a_server_that_nobody_vouches_for_is_not_talked_to"]],
        simulated: [],
    }

    WRONG_PASSWORD = "Kafka refuses the password" {
        customer: "Order serves; orders stay `placed`",
        owner: "The log says `what is announced waits in the outbox`, and that it is the authentication",
        others: "Hear nothing",
        shown_by: ["tests/system/tests/tls.rs" => ["a_wrong_password_is_told_and_orders_wait"]],
        simulated: [],
    }
}
