//! Disks, power and copies.

rows! {
    disk "Disks, power and copies";

    FULL = "the disk is full" {
        customer: "503 `disk-full`, `Retry-After: 10`, and nothing has happened; reading goes on",
        owner: "Staff are told the same. No process ends; the log says `a turn was rolled back`; once there is room all goes on by itself",
        others: "Hear what they could not write down once there is room",
        shown_by: [
            "tests/system/tests/disk_faults/full.rs" => ["a_full_disk_is_told_to_everybody_who_writes_and_nothing_is_lost"],
            "libs/delivery/tests/full_disk.rs" => ["a_full_disk_is_told_loses_nothing_and_is_forgotten_when_there_is_room_again"],
            "libs/web/src/common/tests.rs" => ["a_turn_that_does_not_answer_is_told_by_what_to_do"],
        ],
        simulated: ["has no room on its disk"],
    }

    COMMIT_NOT_SYNCED = "the sync of a commit fails" {
        customer: "Of order: 504 `outcome-unknown`, `Retry-After: 1` if an order was in it, then refused connections until it is back; the same key gives the one order. Of the others: 201 within a second",
        owner: "The service syncs nothing more and ends with exit code 70: `this process must not write any more`. Started again, it goes on from what is on disk",
        others: "Hear nothing that may be lost",
        shown_by: [
            "tests/system/tests/disk_faults/syncs.rs" => [
                "a_commit_of_order_is_not_synced",
                "a_commit_of_payment_is_not_synced",
                "a_commit_of_barista_is_not_synced",
            ],
            "libs/web/src/common/tests.rs" => ["a_turn_that_does_not_answer_is_told_by_what_to_do"],
        ],
        simulated: ["cannot sync"],
    }

    CHECKPOINT_NOT_SYNCED = "a sync fails while a log is copied back into its database" {
        customer: "As if the service was killed",
        owner: "The service syncs nothing more and ends with exit code 70; the log is still there, and the next start reads it",
        others: "Go on",
        shown_by: [
            "tests/system/tests/disk_faults/syncs.rs" => [
                "a_checkpoint_of_order_is_not_synced",
                "a_checkpoint_of_payment_is_not_synced",
                "a_checkpoint_of_barista_is_not_synced",
            ],
        ],
        simulated: [],
    }

    POWER_CUT = "the power is cut" {
        customer: "What was answered is there afterwards: the order with its number and total, and a cancel",
        owner: "The next `cafe up` opens what is found; there is nothing to repair",
        others: "What one has heard of another is on the other's disk",
        shown_by: ["tests/system/tests/power_cut.rs" => ["nothing_answered_is_lost_with_the_power"]],
        simulated: ["loses its power"],
    }

    LOCK_HELD = "somebody holds a lock on a service's database" {
        customer: "503 `busy`, `Retry-After: 1`, and nothing has happened",
        owner: "The log says `a turn was rolled back`; `/health/ready` is 503 with the reason until a turn is done again",
        others: "What it could not take in it takes in later, in order",
        shown_by: [
            "libs/store/tests/conformance/locks.rs" => ["whoever_waits_for_a_locked_row_is_told_so_soon_and_gets_it_afterwards"],
            "libs/delivery/tests/service.rs" => ["while_the_first_half_of_a_turn_waits_for_a_lock_the_second_does_not_overtake_it"],
            "libs/web/src/common/tests.rs" => [
                "a_turn_that_does_not_answer_is_told_by_what_to_do",
                "a_service_that_cannot_commit_is_not_ready_and_says_why",
            ],
        ],
        simulated: ["finds a lock held"],
    }

    ORDER_RESTORED = "an older copy of the order service is put back" {
        customer: "Orders since the copy are there again once payment is heard; those that payment never approved may be gone. Numbers skip ahead by 1,000, and none is given twice",
        owner: "`cafe restore` keeps what was there in a folder `replaced-…`",
        others: "Hear its log again from the oldest event, which changes nothing",
        shown_by: [
            "tests/system/tests/restored.rs" => ["yesterdays_copy_of_order_is_put_back"],
            "apps/cafe/tests/program/copies.rs" => ["yesterdays_copy_of_one_service_is_put_back_and_what_was_there_is_kept"],
            "apps/order/tests/http/numbers.rs" => ["numbers_skip_ahead_once_after_an_older_copy_was_restored"],
            "apps/order/src/histories.rs" => ["an_order_lost_by_a_restore_comes_back_with_its_approval_and_its_number_is_not_given_again"],
        ],
        simulated: ["is restored" of "order"],
    }

    PAYMENT_RESTORED = "an older copy of the payment service is put back" {
        customer: "Nobody is charged or given money twice; new orders are paid as ever, and one that was not paid yet is asked for only once it is certain that it was not",
        owner: "`GET /payments/{order_id}` says `checking` until the vendor was asked what it has of an order; `cafe audit` is clean meanwhile",
        others: "Hear its log again from the oldest event: it comes to the same words, which change nothing",
        shown_by: [
            "tests/system/tests/restored.rs" => ["yesterdays_copy_of_payment_is_put_back"],
            "apps/payment/tests/payment/restored.rs" => [
                "what_was_charged_meanwhile_is_found_and_approved_again_not_charged_again",
                "what_was_given_back_meanwhile_is_not_given_back_again",
                "a_refused_cancel_is_forwarded_again_and_the_order_stays_paid",
                "what_was_never_asked_is_asked_once_that_is_certain",
            ],
            "apps/cafe/tests/program/audit.rs" => ["a_cafe_whose_payments_alone_were_restored_is_sound_while_they_are_found_again"],
            "libs/delivery/tests/service.rs" => ["a_log_that_was_restored_is_heard_again_and_changes_nothing"],
            "libs/delivery/tests/carriers/hearing.rs" => ["a_log_that_was_restored_is_heard_again_and_changes_nothing"],
        ],
        simulated: ["is restored" of "payment"],
    }

    BARISTA_RESTORED = "an older copy of the barista service is put back" {
        customer: "Nothing new; every order comes to the end that it had",
        owner: "What was paid since the copy is queued again, and made again",
        others: "Hear its log again from the oldest event, which changes nothing",
        shown_by: ["tests/system/tests/restored.rs" => ["yesterdays_copy_of_barista_is_put_back"]],
        simulated: ["is restored" of "barista"],
    }

    COPY_REFUSED = "a damaged copy is to be put back, or one under a service that runs" {
        customer: "Nothing",
        owner: "`cafe restore` ends with exit code 1, `barista.sqlite is damaged` or `the barista service already runs`, and has touched nothing",
        others: "Nothing",
        shown_by: ["apps/cafe/tests/program/copies.rs" => ["a_restore_is_refused_while_the_service_runs_and_when_the_copy_is_damaged"]],
        simulated: [],
    }
}
