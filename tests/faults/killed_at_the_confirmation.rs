//! confirmations, kill -9 between closing the last letter and queuing its confirmation: impossible, one transaction.

use rusqlite::Connection;

use crate::support::campaign::Campaign;
use crate::support::relay::ScriptedRelay;
use crate::world::{SEND, campaign, must_hold, run, run_killed_at, tell};

/// Letters that are settled, and those of them whose constituent has a confirmation.
fn settled_and_told(campaign: &Campaign) -> (i64, i64) {
    let db = Connection::open(campaign.ledger()).unwrap();
    let count = |sql: &str| db.query_row(sql, [], |row| row.get(0)).unwrap();
    let settled = "SELECT count(*) FROM message m WHERE kind = 'letter' AND state IN ('sent', 'bounced', 'in_doubt')";
    let told = "EXISTS (SELECT 1 FROM message c WHERE c.kind = 'confirmation' AND c.constituent = m.constituent)";
    (count(settled), count(&format!("{settled} AND {told}")))
}

#[test]
fn a_letter_is_settled_together_with_the_row_of_its_confirmation_or_not_at_all() {
    for point in ["ledger.ending", "ledger.confirming", "ledger.ended", "books.closed", "books.closed_and_marked"] {
        for n in [1, 2] {
            let relay = ScriptedRelay::kind();
            let campaign = campaign(4, 1, &relay);
            if point == "books.closed" {
                campaign.configure(relay.port(), "connections = 1\nmessages_per_connection = 1");
            }
            let point = format!("{point}:{n}");
            run_killed_at(&campaign, SEND, &point);
            let (settled, told) = settled_and_told(&campaign);
            assert_eq!(settled, told, "{point}");
            let code = run(&campaign, SEND).code;
            let standing = must_hold(&campaign, &relay);
            assert_eq!(settled_and_told(&campaign), (4, 4), "{point}");
            assert_eq!(standing.of("confirmation", "sent") + standing.of("confirmation", "in_doubt"), 4, "{point}");
            assert_eq!(code == 7, standing.all("in_doubt") > 0, "{point}");
            tell(&point, &standing);
        }
    }
}
