//! Clocks and calendars.

rows! {
    clock "Clocks";

    STEPS_ON = "the wall clock steps on by up to a day" {
        customer: "An order that was not paid may expire early; a key that was used still means its order",
        owner: "Nothing",
        others: "Nothing is charged after it was announced as expired",
        shown_by: ["apps/order/tests/http/idempotency.rs" => ["a_key_lives_a_day_also_when_the_clock_steps_on_by_another"]],
        simulated: ["clock steps on"],
    }

    STEPS_BACK = "the wall clock steps back by up to a day" {
        customer: "An order that is not paid may expire late; numbers go on with the later day, and none is given twice",
        owner: "The log says `the clock was set back; everything that waits is looked at`",
        others: "Nothing",
        shown_by: [
            "apps/order/tests/http/numbers.rs" => ["a_clock_that_steps_back_over_midnight_repeats_no_number"],
            "apps/payment/src/worker/cases.rs" => ["when_the_clock_was_set_back_everything_that_waits_is_looked_at"],
            "apps/payment/src/worker/scout.rs" => ["a_clock_that_is_set_back_is_noticed_and_one_that_is_put_on_is_not"],
        ],
        simulated: ["clock steps back"],
    }

    MIDNIGHT = "it becomes midnight, and a day has more than 9,999 orders" {
        customer: "The first number of the day is `0001`; after `9999` comes `10000`",
        owner: "The same, at three replicas too",
        others: "Nothing",
        shown_by: [
            "tests/system/tests/replicas/numbers.rs" => ["numbers_of_three_replicas_never_collide_across_midnight_and_beyond_9999"],
            "apps/order/tests/http/numbers.rs" => ["numbers_begin_again_at_midnight_where_the_cafe_is", "after_9999_comes_10000"],
        ],
        simulated: [],
    }
}
