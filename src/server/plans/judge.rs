//! What a report of an ad is worth: a pure judgement of its ticket.

use super::{LATE, SKEW};
use crate::catalog::{AdTicket, HeardAd};
use crate::music::AdHeard;

/// Why a report does not count. It is final: the same report is refused the same way tomorrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdRefused {
    /// No ticket of this account, or none that is still known.
    #[error("this account has no such ticket")]
    Unknown,
    /// Heard before it was given.
    #[error("this ad was heard before its ticket was given; is the clock of the player right?")]
    TooEarly,
    /// Heard after its time.
    #[error("this ad was heard after its ticket had expired")]
    Expired,
    /// It cannot have been heard so far by now.
    #[error("this ad would still be heard in the future; is the clock of the player right?")]
    Unheard,
    /// Reported too long after its time.
    #[error("this report comes too late")]
    TooLate,
}

/// What is to be written down of a report, if anything is: nothing new for a ticket that was reported before. More than the ad is
/// long cannot have been heard, and counts as all of it.
pub(super) fn judge(
    ticket: Option<&AdTicket>,
    heard: &AdHeard,
    now: i64,
) -> Result<Option<HeardAd>, AdRefused> {
    let ticket = ticket.ok_or(AdRefused::Unknown)?;
    if ticket.reported {
        return Ok(None);
    }
    if heard.at < ticket.issued_at.saturating_sub(SKEW) {
        return Err(AdRefused::TooEarly);
    }
    if heard.at > ticket.expires_at.saturating_add(SKEW) {
        return Err(AdRefused::Expired);
    }
    let heard_ms = heard.heard_ms.min(ticket.duration_ms);
    let over = heard.at.saturating_add(i64::try_from(heard_ms).unwrap_or(i64::MAX));
    if over > now.saturating_add(SKEW) {
        return Err(AdRefused::Unheard);
    }
    if now > ticket.expires_at.saturating_add(LATE) {
        return Err(AdRefused::TooLate);
    }
    let delivered = heard_ms >= ticket.counts_after_ms;
    // A clock that is a little wrong does not move an ad out of the time in which it was allowed.
    let at = heard.at.clamp(ticket.issued_at, now.max(ticket.issued_at));
    Ok(Some(HeardAd { ticket: heard.ticket.clone(), at, heard_ms, delivered }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICKET: AdTicket = AdTicket {
        issued_at: 1_000_000_000,
        expires_at: 2_000_000_000,
        duration_ms: 20_000,
        counts_after_ms: 19_000,
        reported: false,
    };

    fn told(at: i64, heard_ms: u64, now: i64) -> Result<Option<(u64, bool)>, AdRefused> {
        let heard = AdHeard { ticket: "t".to_owned(), heard_ms, at };
        judge(Some(&TICKET), &heard, now).map(|heard| heard.map(|heard| (heard.heard_ms, heard.delivered)))
    }

    #[test]
    fn enough_counts_less_does_not_and_more_is_all() {
        let at = 1_500_000_000;
        assert_eq!(told(at, 18_999, at), Ok(Some((18_999, false))));
        assert_eq!(told(at, 19_000, at), Ok(Some((19_000, true))));
        assert_eq!(told(at, u64::MAX, at), Ok(Some((20_000, true))));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let (now, issued, expires) = (1_500_000_000, TICKET.issued_at, TICKET.expires_at);
        assert_eq!(told(issued - SKEW, 20_000, now), Ok(Some((20_000, true))));
        assert_eq!(told(issued - SKEW - 1, 20_000, now), Err(AdRefused::TooEarly));
        assert_eq!(told(now + SKEW - 20_000, 20_000, now), Ok(Some((20_000, true))));
        assert_eq!(told(now + SKEW - 19_999, 20_000, now), Err(AdRefused::Unheard), "in the future");
        assert_eq!(told(expires, 20_000, expires + LATE), Ok(Some((20_000, true))));
        assert_eq!(told(expires, 20_000, expires + LATE + 1), Err(AdRefused::TooLate));
        assert_eq!(told(expires + SKEW + 1, 20_000, expires + LATE), Err(AdRefused::Expired));
        let heard = AdHeard { ticket: "t".to_owned(), heard_ms: 1, at: now };
        assert_eq!(judge(None, &heard, now), Err(AdRefused::Unknown));
        let again = AdTicket { reported: true, ..TICKET };
        assert_eq!(judge(Some(&again), &heard, now), Ok(None), "once");
    }
}
