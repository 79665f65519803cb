//! The contract for `SqliteLedger`, and what is true of its file alone.

use std::path::PathBuf;

use tempfile::TempDir;
use undersigned::ledger::LedgerError;
use undersigned::ledger::sqlite::{Access, SqliteLedger};
use undersigned::model::CampaignTag;

use crate::contract;
use crate::world::{Backend, claim_one, enrol, figures, mark, minute};

/// A ledger in a folder of its own.
pub(crate) struct Sqlite {
    ledger: SqliteLedger,
    folder: TempDir,
}

impl Sqlite {
    fn path(&self) -> PathBuf {
        self.folder.path().join("campaign.ledger")
    }
}

impl Backend for Sqlite {
    type Ledger = SqliteLedger;

    fn fresh() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tag = CampaignTag::parse("k3m9x2").unwrap();
        let ledger = SqliteLedger::create(&folder.path().join("campaign.ledger"), "Trees", &tag, minute(0)).unwrap();
        Self { ledger, folder }
    }

    fn ledger(&self) -> &SqliteLedger {
        &self.ledger
    }

    fn another(&self) -> SqliteLedger {
        SqliteLedger::open(&self.path(), Access::Staff).unwrap()
    }

    fn restart(self) -> Self {
        let path = self.path();
        let Self { ledger, folder } = self;
        drop(ledger);
        Self { ledger: SqliteLedger::open(&path, Access::Dispatch).unwrap(), folder }
    }
}

contract! { Sqlite:
    claiming {
        a_claim_brings_the_people_as_they_were_enrolled
        lanes_take_turns_even_when_one_is_much_longer
        a_claim_shares_its_limit_among_the_lanes
        a_paced_lane_gives_one_message_and_waits_for_its_end
        a_lane_is_not_ready_before_its_pace_allows
        what_is_given_back_can_be_claimed_again_as_it_was
        a_postponed_message_waits_by_itself_and_its_lane_goes_on
        deferred_messages_come_back_when_they_are_due_and_not_before
        a_letter_that_was_refused_goes_when_it_is_due_before_those_of_its_lane_never_tried
        a_letter_at_which_the_connection_was_lost_lets_the_others_of_its_lane_pass
        tries_on_the_relays_clock_neither_count_nor_start_the_recipients
        a_receipt_whose_row_was_moved_by_another_process_changes_nothing
        a_message_is_either_held_by_staff_or_claimed_never_both
        letters_to_a_mailbox_that_does_not_exist_are_suppressed_after_the_first_refusal
        a_refusal_for_good_that_is_not_about_the_address_suppresses_nothing
    }
    closing {
        every_end_of_a_transmission_has_its_state_and_its_line_in_the_log
        an_accepted_message_keeps_when_and_as_what_the_relay_took_it
        the_stamp_of_the_first_hand_over_holds_for_every_later_one
        a_lease_cannot_end_as_sent_or_in_doubt_without_a_transmission
        attempts_are_numbered_by_message_whatever_they_ended_in
        a_start_puts_back_what_was_leased_and_doubts_what_was_transmitting
        a_paced_lane_whose_process_ended_is_open_again
        a_lane_that_waits_for_its_pace_still_waits_after_a_start
        what_was_committed_is_there_after_a_restart
        hand_overs_that_may_have_reached_a_relay_are_counted_from_the_log
    }
    confirming {
        a_constituent_is_told_once_when_the_last_letter_is_settled
        a_refusal_before_the_body_can_be_the_last_news_too
        a_letter_that_turns_out_suppressed_can_be_the_last_to_settle
        by_letter_each_letter_is_told_by_itself
        where_none_are_wanted_none_come_about
        nobody_is_told_of_letters_that_were_all_cancelled
        cancelling_the_last_open_letter_tells_of_the_others
        the_confirmation_of_a_late_letter_waits_while_that_is_tried_again_and_then_goes
        a_confirmation_waits_again_while_one_of_its_letters_is_retried
        a_confirmation_that_was_offered_before_may_tell_newer_news_under_its_name
        who_was_told_is_not_told_again
        a_withheld_confirmation_of_letters_that_are_cancelled_after_all_is_cancelled
        how_constituents_are_told_cannot_change_under_way
    }
    deciding {
        hold_and_release_take_letters_out_of_the_queue_and_back
        a_letter_without_a_mailbox_stays_held
        retry_lifts_the_suppression_and_counts_tries_anew
        a_refusal_that_is_taken_back_before_the_news_is_out_suppresses_nobody
        a_deadline_lets_waiting_letters_expire_and_leaves_what_somebody_holds
        cancel_for_all_withdraws_letters_and_not_the_news_of_those_that_are_out
        of_these_leaves_out_what_cannot_make_the_move
        what_is_in_doubt_moves_only_by_an_order_of_staff
        what_the_program_resends_is_for_the_same_relay_until_staff_say_otherwise
        an_order_that_names_a_wrong_message_changes_nothing
        every_order_is_recorded_with_time_number_and_reason
        a_leased_message_is_out_of_reach_of_staff
        a_changed_template_reaches_only_what_was_never_offered
        a_changed_confirmation_reaches_those_that_are_still_to_come
    }
    enrolling {
        enrolling_again_adds_nothing
        later_rows_are_added_to_those_that_were_there
        an_edited_row_is_reported_and_the_frozen_one_is_kept
        a_source_that_fails_midway_leaves_nothing_behind
        what_was_noted_of_the_sources_is_kept_until_the_next_enrolment
        a_letter_to_an_official_who_is_not_enrolled_is_refused
        two_officials_of_one_mailbox_share_a_lane
        a_template_is_frozen_once_by_name_and_source
    }
    reading {
        the_states_add_up_to_what_was_enrolled
        officials_come_busiest_first_with_their_letters_by_state
        lists_longer_than_a_page_come_whole_and_in_order
        a_reader_that_cannot_go_on_ends_the_list
        what_is_noted_of_campaign_and_relays_is_read_back
        what_became_of_a_persons_letters_is_found_by_their_key
        somebody_whose_letters_all_failed_is_no_namesake_and_anybody_else_is
    }
    wishing {
        wishes_are_kept_until_they_are_taken_back_and_each_is_recorded
        letters_beyond_the_total_are_held_and_come_back_when_there_is_room
        a_retry_gives_no_official_more_than_their_total
        what_staff_release_goes_and_is_not_held_for_the_total_again
        lanes_are_pulled_in_but_not_what_waits_for_news
        hand_overs_are_counted_by_relay_and_minute_and_the_first_is_known
    }
}

#[test]
fn a_second_dispatcher_is_refused_and_staff_are_not() {
    let world = Sqlite::fresh();
    assert!(SqliteLedger::dispatcher_is_running(&world.path()));
    let second = SqliteLedger::open(&world.path(), Access::Dispatch);
    assert!(matches!(second, Err(LedgerError::Busy(_))));
    assert!(SqliteLedger::open(&world.path(), Access::Staff).is_ok());
    assert_eq!(SqliteLedger::open(&world.path(), Access::Read).unwrap().name(), "Trees");
    let path = world.path();
    let Sqlite { ledger, folder } = world;
    drop(ledger);
    assert!(!SqliteLedger::dispatcher_is_running(&path));
    assert!(SqliteLedger::open(&path, Access::Dispatch).is_ok());
    drop(folder);
}

#[test]
fn a_ledger_is_never_made_over_another() {
    let world = Sqlite::fresh();
    enrol(world.ledger(), &[(1, &[1])]);
    let path = world.path();
    let Sqlite { ledger, folder } = world;
    drop(ledger);
    let again = SqliteLedger::create(&path, "Trees", &CampaignTag::parse("aaaaaa").unwrap(), minute(0));
    assert!(matches!(again, Err(LedgerError::Conflict(_))));
    assert_eq!(figures(&SqliteLedger::open(&path, Access::Read).unwrap()), "letters: 1 queued");
    drop(folder);
}

#[test]
fn what_an_interrupted_creation_left_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("campaign.ledger");
    std::fs::write(folder.path().join("campaign.ledger.new"), "half a ledger").unwrap();
    assert!(matches!(SqliteLedger::open(&path, Access::Read), Err(LedgerError::Absent(_))));
    assert!(SqliteLedger::create(&path, "Trees", &CampaignTag::parse("aaaaaa").unwrap(), minute(0)).is_ok());
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_any_of_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let world = Sqlite::fresh();
    enrol(world.ledger(), &[(1, &[1])]);
    let open = mark(world.ledger(), claim_one(world.ledger(), minute(0)).await).await;
    let mut names = Vec::new();
    for entry in std::fs::read_dir(world.folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    let expected = ["campaign.ledger", "campaign.ledger-shm", "campaign.ledger-wal", "campaign.ledger.lock"];
    assert_eq!(names, expected);
    drop(open);
}

#[test]
fn the_check_finds_nothing_wrong_with_a_ledger_in_use() {
    let world = Sqlite::fresh();
    enrol(world.ledger(), &[(1, &[1, 2])]);
    assert_eq!(world.ledger().check().unwrap(), Vec::<String>::new());
}
