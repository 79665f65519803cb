//! What a relay offers: the extensions in its EHLO reply.
//!
//! Read for itself and not by lettre, which knows neither PIPELINING nor SIZE. Names are compared without
//! regard to case (RFC 5321 2.4).

use super::reply::RawReply;

/// The extensions that this program uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is there or not, independent of the others")]
pub(super) struct Offers {
    /// RFC 2920: commands may share a write.
    pub(super) pipelining: bool,
    /// RFC 6152: bytes above 127 in the text.
    pub(super) eight_bit: bool,
    /// RFC 6531: addresses outside ASCII.
    pub(super) smtputf8: bool,
    /// RFC 1870: the size may be told in advance.
    pub(super) size: bool,
    /// RFC 3207.
    pub(super) starttls: bool,
    /// RFC 4616.
    pub(super) auth_plain: bool,
    /// The older way, still the only one at some relays.
    pub(super) auth_login: bool,
    /// An access token instead of a password.
    pub(super) auth_xoauth2: bool,
}

impl Offers {
    /// Reads an EHLO reply; its first line is the relay's name.
    pub(super) fn read(reply: &RawReply) -> Self {
        let mut offers = Self::default();
        for line in reply.lines.iter().skip(1) {
            // `AUTH=PLAIN` is how some relays still say it for clients of before RFC 2554.
            let line = line.to_ascii_uppercase().replace('=', " ");
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("PIPELINING") => offers.pipelining = true,
                Some("8BITMIME") => offers.eight_bit = true,
                Some("SMTPUTF8") => offers.smtputf8 = true,
                Some("SIZE") => offers.size = true,
                Some("STARTTLS") => offers.starttls = true,
                Some("AUTH") => words.for_each(|mechanism| match mechanism {
                    "PLAIN" => offers.auth_plain = true,
                    "LOGIN" => offers.auth_login = true,
                    "XOAUTH2" => offers.auth_xoauth2 = true,
                    _ => {}
                }),
                _ => {}
            }
        }
        offers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Offers {
        Offers::read(&RawReply { code: 250, lines: lines.iter().map(ToString::to_string).collect() })
    }

    #[test]
    fn extensions_are_read_whatever_their_case() {
        let offers = read(&["mx pipelining", "Pipelining", "SIZE 1000", "auth cram-md5 plain", "8bitmime"]);
        let expected = Offers { pipelining: true, size: true, auth_plain: true, eight_bit: true, ..Offers::default() };
        assert_eq!(offers, expected);
        assert!(read(&["mx", "AUTH=LOGIN"]).auth_login);
    }

    #[test]
    fn the_relays_name_is_not_an_extension() {
        assert_eq!(read(&["PIPELINING"]), Offers::default());
    }
}
