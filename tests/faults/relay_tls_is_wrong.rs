//! relay, TLS broken, expired, of another host, signed by itself: nothing is said to such a relay, and no attempt of any
//! message is counted. A certificate that is not right is for staff: the campaign stops.

use std::sync::Arc;

use tokio_rustls::rustls::ServerConfig;

use crate::support::certs::{Authority, self_signed};
use crate::support::relay::{Action, Options, RelayTls, ScriptedRelay};
use crate::world::{SEND, campaign, must_cost_nothing, must_have_cost_nothing, must_hold, run, tell};

fn relay_with(config: Arc<ServerConfig>) -> ScriptedRelay {
    ScriptedRelay::start(Options { tls: RelayTls::Implicit(config), ..Options::default() }, |_| Action::Default)
}

#[test]
fn a_certificate_that_is_not_right_stops_the_campaign_and_no_letter_suffers() {
    let authority = Authority::new();
    let good = relay_with(authority.server("localhost"));
    let trusting = |relay: &ScriptedRelay, campaign: &crate::support::campaign::Campaign| {
        let text = format!(
            "[campaign]\nname = \"Test Campaign\"\ntimezone = \"UTC\"\n[pace]\nper_mailbox = \"unlimited\"\n\
             [[relay]]\nname = \"main\"\nhost = \"localhost\"\nport = {}\ntls = \"implicit\"\nca_file = \"{}\"\n",
            relay.port(),
            authority.ca_file.display()
        );
        campaign.write("config.toml", &text);
    };
    for (fault, wrong) in [
        ("expired", authority.expired("localhost")),
        ("of another host", authority.server("elsewhere.example")),
        ("signed by itself", self_signed("localhost")),
    ] {
        let relay = relay_with(wrong);
        let campaign = campaign(3, 1, &relay);
        trusting(&relay, &campaign);
        let ran = run(&campaign, SEND);
        assert_eq!(ran.code, 4, "{fault}: {ran:?}");
        must_have_cost_nothing(fault, &campaign, &relay, 3);
        assert!(relay.heard().is_empty(), "{fault}: not a word is said to it");

        let before = good.record.count();
        trusting(&good, &campaign);
        assert_eq!(run(&campaign, SEND).code, 0, "{fault}");
        assert_eq!((campaign.letters("sent"), good.record.count() - before), (3, 6), "{fault}");
    }
}

#[test]
fn a_relay_whose_tls_is_broken_costs_no_letter_anything() {
    // It greets in plain words where the handshake should be.
    let relay = ScriptedRelay::kind();
    let campaign = campaign(3, 1, &relay);
    campaign.configure(relay.port(), "connections = 1");
    let plain = std::fs::read_to_string(campaign.path().join("config.toml")).unwrap();
    campaign.write("config.toml", &plain.replace("tls = \"none\"", "tls = \"implicit\""));
    must_cost_nothing("TLS broken", &campaign, &relay, || campaign.write("config.toml", &plain));
    tell("TLS broken", &must_hold(&campaign, &relay));
}
