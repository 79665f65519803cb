//! relay, DNS fails: the relay's clock; no attempt of any message is counted.

use crate::support::relay::ScriptedRelay;
use crate::world::{campaign, must_cost_nothing};

#[test]
fn a_relay_whose_name_is_nowhere_costs_no_letter_anything() {
    let relay = ScriptedRelay::kind();
    let campaign = campaign(3, 1, &relay);
    let config = std::fs::read_to_string(campaign.path().join("config.toml")).unwrap();
    let nowhere = config.replace("tls = \"none\"", "tls = \"implicit\"");
    campaign.write(
        "config.toml",
        &nowhere
            .replace("host = \"127.0.0.1\"", "host = \"relay.invalid\"")
            .replace("name = \"Test Campaign\"", "name = \"Test Campaign\"\nsender = \"letters@campaign.test\""),
    );
    must_cost_nothing("DNS fails", &campaign, &relay, || campaign.write("config.toml", &config));
}
