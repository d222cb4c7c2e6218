//! Kafka between the services. In system tests nobody is refused, and one in fifty at most waits for longer than a second.

rows! {
    kafka "Kafka";

    ALL_KILLED = "every broker is killed, for a while" {
        customer: "201 throughout; progress is shown late",
        owner: "`/health/ready` of order says how much waits in the outbox (`relay`), and why; no service grows by 48 MB. Afterwards what waited is drained faster than new orders come",
        others: "Hear everything afterwards, in order",
        shown_by: [
            "tests/system/tests/kafka_faults/brokers.rs" => ["a_broker_is_killed_loses_its_topics_its_tail_and_its_disk"],
            "libs/delivery/tests/carriers/relaying.rs" => ["while_brokers_are_away_things_are_said_and_wait_and_afterwards_each_is_written_once"],
        ],
        simulated: [],
    }

    TAIL_LOST = "a partition loses its end, which was acknowledged" {
        customer: "201 throughout; progress is shown late",
        owner: "`cafe_topic_losses_total` rises, and the log says `Kafka has lost what it had acknowledged; announcing it again`",
        others: "Hear what was lost; nothing takes effect twice",
        shown_by: [
            "tests/system/tests/kafka_faults/brokers.rs" => ["a_broker_is_killed_loses_its_topics_its_tail_and_its_disk"],
            "libs/delivery/tests/carriers/relaying.rs" => ["a_topic_that_loses_its_end_or_is_deleted_and_made_again_is_filled_again_and_nothing_happens_twice"],
        ],
        simulated: ["is lost by brokers"],
    }

    TOPICS_DELETED = "topics are deleted" {
        customer: "201 throughout; progress is shown late",
        owner: "Each is made anew by the service that speaks there, and filled again from its outbox",
        others: "Hear on; nothing takes effect twice",
        shown_by: [
            "tests/system/tests/kafka_faults/brokers.rs" => ["a_broker_is_killed_loses_its_topics_its_tail_and_its_disk"],
            "libs/delivery/tests/carriers/relaying.rs" => ["a_topic_that_loses_its_end_or_is_deleted_and_made_again_is_filled_again_and_nothing_happens_twice"],
        ],
        simulated: ["finds its topic made anew"],
    }

    WIPED = "all brokers come back with empty disks" {
        customer: "201 throughout; progress is shown late",
        owner: "Topics are made anew; there is nothing to do",
        others: "Hear on; nothing takes effect twice",
        shown_by: ["tests/system/tests/kafka_faults/brokers.rs" => ["a_broker_is_killed_loses_its_topics_its_tail_and_its_disk"]],
        simulated: [],
    }

    ONE_RESTARTED = "one of three brokers is killed and comes back" {
        customer: "201 throughout",
        owner: "Nothing to do",
        others: "Hear everything, some of it late",
        shown_by: ["tests/system/tests/kafka_faults/brokers.rs" => ["of_three_brokers_one_is_restarted_two_are_down_and_one_is_frozen"]],
        simulated: [],
    }

    TWO_DOWN = "two of three brokers are down" {
        customer: "201 throughout; progress is shown late",
        owner: "What is announced waits in the outbox until there is a quorum",
        others: "Hear everything afterwards",
        shown_by: ["tests/system/tests/kafka_faults/brokers.rs" => ["of_three_brokers_one_is_restarted_two_are_down_and_one_is_frozen"]],
        simulated: [],
    }

    ONE_FROZEN = "one of three brokers is frozen" {
        customer: "201 throughout; progress may be shown late",
        owner: "Nothing to do",
        others: "Hear everything, at the latest when it goes on",
        shown_by: ["tests/system/tests/kafka_faults/brokers.rs" => ["of_three_brokers_one_is_restarted_two_are_down_and_one_is_frozen"]],
        simulated: [],
    }

    PARTED = "services and brokers are parted: reset, stalled, or with one direction only" {
        customer: "201 throughout; progress is shown late",
        owner: "What is announced waits in the outbox",
        others: "Hear everything afterwards",
        shown_by: ["tests/system/tests/kafka_faults/brokers.rs" => ["services_and_brokers_are_parted_altogether_and_one_way"]],
        simulated: ["is not acknowledged by brokers"],
    }

    RELAY_KILLED = "a relay dies before it has noted what it wrote, or two write at once" {
        customer: "Nothing",
        owner: "Nothing",
        others: "Some may come twice in the topic; nothing takes effect twice, or never",
        shown_by: [
            "libs/delivery/tests/carriers/relaying.rs" => [
                "each_record_is_written_once_also_by_relays_that_were_killed_before_they_noted_it",
                "two_relays_at_once_write_some_twice_and_nothing_takes_effect_twice_or_never",
            ],
        ],
        simulated: ["dies between relay and mark", "arrives late at brokers"],
    }

    MORE_PARTITIONS = "a topic is given more partitions" {
        customer: "Nothing",
        owner: "Nothing",
        others: "An order's events come from two partitions, and are taken in in order",
        shown_by: ["libs/delivery/tests/carriers/relaying.rs" => ["a_topic_that_is_given_more_partitions_is_written_and_heard_on_in_order"]],
        simulated: [],
    }
}
