//! What a server owes to the people whose data it holds: to give them a copy ([`export`]), to erase them ([`erase`]), and to
//! keep nothing longer than it says ([`tidy`]). The command line and the API call the same functions.
//!
//! ```text
//! catalog::personal (which tables) ─▶ export ─▶ zip, streamed
//!                                  └▶ erase: tombstone ─▶ rows ─▶ search index ─▶ VACUUM, empty log ─▶ receipt
//! tidy, once an hour: who waited long enough ─▶ erase; limits by age; copies that expired
//! ```

mod erase;
mod export;
mod tidy;

use std::net::IpAddr;

pub(crate) use erase::number_erased;
pub use erase::{EndOfCopies, Receipt, erase, erased_again, take_back, tombstone, wish};
pub(crate) use export::channel;
pub use export::{Who, export, export_to};
pub(crate) use tidy::look_after;
pub use tidy::{Tidied, tidy};

/// How long things are kept, in days; 0 for as long as the server lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Plays.
    pub plays: u32,
    /// Lines of the audit log.
    pub audit: u32,
    /// Notes of whose marks changed, which the search index reads.
    pub search: u32,
    /// API keys that nobody uses.
    pub keys: u32,
    /// Copies of the data: backups, and those from before a restore or a new release.
    pub backups: u32,
    /// Between the wish to be erased and the deed. Here 0 means at once.
    pub grace: u32,
}

impl Default for Keep {
    fn default() -> Self {
        Self { plays: 0, audit: 365, search: 30, keys: 365, backups: 30, grace: 14 }
    }
}

/// An address as it is written down: the network that it lies in, 24 bits of IPv4 and 48 of IPv6. What is no address stays.
pub fn short_address(text: &str) -> String {
    match text.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(v4)) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        Ok(IpAddr::V6(v6)) => {
            let [a, b, c, ..] = v6.segments();
            format!("{}/48", std::net::Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
        Err(_) => text.to_owned(),
    }
}

/// The program in what a client calls itself, without versions, devices and their owners: `DSub` of `DSub/5.5 (Ann's phone)`.
pub(crate) fn program_name(client: &str) -> String {
    const LONGEST: usize = 32;
    let printable = crate::music::printable(client.trim());
    let end = printable.find(['/', '(', '[', '@', '|', ';', ',', '<', '\'', '’']).unwrap_or(printable.len());
    let head = printable.get(..end).unwrap_or_default();
    let head = [" - ", " on ", " for "].iter().fold(head, |head, cut| head.split(cut).next().unwrap_or(head));
    let words = head
        .split_whitespace()
        .take_while(|word| !word.trim_start_matches(['v', 'V']).starts_with(|c: char| c.is_ascii_digit()));
    words.collect::<Vec<_>>().join(" ").chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_cut_to_their_network() {
        assert_eq!(short_address("203.0.113.77"), "203.0.113.0/24");
        assert_eq!(short_address("::ffff:203.0.113.77"), "203.0.113.0/24");
        assert_eq!(short_address("2001:db8:1:2:3::4"), "2001:db8:1::/48");
        assert_eq!(short_address("here"), "here");
        assert_eq!(short_address("203.0.113.0/24"), "203.0.113.0/24", "once is enough");
    }

    #[test]
    fn clients_are_reduced_to_their_program() {
        for (client, program) in [
            ("DSub", "DSub"),
            ("DSub/5.5 (Ann's phone)", "DSub"),
            ("Sublime Music", "Sublime Music"),
            ("Sublime Music 0.11.16", "Sublime Music"),
            ("play:Sub v2.1 on Ann's iPad", "play:Sub"),
            ("ann@home", "ann"),
            ("", ""),
        ] {
            assert_eq!(program_name(client), program, "{client}");
        }
    }
}
