//! Who is at the other end: the address of the connection, or the one that a trusted proxy names.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, Once, PoisonError};

use axum::http::HeaderMap;

/// Most connections of one address. Browsers and players keep less than ten; a campus may sit behind one address.
const MOST_OF_ONE: usize = 512;

/// Said once, that a proxy is not trusted.
static TOLD: Once = Once::new();

/// The address of a listener.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// The listener behind a connection: where it comes from a trusted proxy, the last address in `X-Forwarded-For` that is
/// not a trusted proxy's. What others write there is theirs to make up, and is not looked at.
pub(crate) fn behind(connection: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> Peer {
    let connection = connection.to_canonical();
    if !trusted.contains(&connection) {
        if connection.is_loopback() && headers.contains_key("x-forwarded-for") {
            // Every listener would count as one, and one who guesses would lock all of them out.
            TOLD.call_once(|| {
                tracing::warn!(
                    proxy = %connection,
                    "a proxy on this machine passes requests on, but is not trusted: all of its listeners count as one for \
                     limits on guessing; --trusted-proxy {connection} tells them apart"
                );
            });
        }
        return Peer(connection);
    }
    let named = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = named.flat_map(|value| value.split(',')).map(str::trim).collect();
    let mut last = connection;
    for hop in hops.into_iter().rev() {
        let Ok(address) = hop.parse::<IpAddr>() else { break };
        last = address.to_canonical();
        if !trusted.contains(&last) {
            break;
        }
    }
    Peer(last)
}

/// Connections by address.
#[derive(Debug, Default, Clone)]
pub(crate) struct Crowd(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One connection of the crowd.
pub(crate) struct Place {
    crowd: Crowd,
    address: IpAddr,
}

impl Crowd {
    /// A place for one more connection of `address`; none when it has too many. A trusted proxy has as many as it wants.
    pub(crate) fn enter(&self, address: IpAddr, trusted: &[IpAddr]) -> Option<Place> {
        let address = address.to_canonical();
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= MOST_OF_ONE && !address.is_loopback() && !trusted.contains(&address) {
            return None;
        }
        *count += 1;
        Some(Place { crowd: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.crowd.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(connection: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted: Vec<IpAddr> = trusted.iter().map(|a| a.parse().unwrap()).collect();
        behind(connection.parse().unwrap(), &headers, &trusted).0.to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(peer("203.0.113.9", &["198.51.100.1"], &[]), "203.0.113.9");
        assert_eq!(peer("127.0.0.1", &["198.51.100.1"], &["127.0.0.1"]), "198.51.100.1");
        assert_eq!(peer("::ffff:127.0.0.1", &["198.51.100.1"], &["127.0.0.1"]), "198.51.100.1");
        // What the listener made up stands before what the proxy wrote.
        assert_eq!(peer("127.0.0.1", &["10.9.9.9, 198.51.100.1"], &["127.0.0.1"]), "198.51.100.1");
        assert_eq!(
            peer("127.0.0.1", &["10.9.9.9", "198.51.100.1, 10.0.0.2"], &["127.0.0.1", "10.0.0.2"]),
            "198.51.100.1"
        );
        assert_eq!(peer("127.0.0.1", &["nonsense"], &["127.0.0.1"]), "127.0.0.1");
        assert_eq!(peer("127.0.0.1", &[], &["127.0.0.1"]), "127.0.0.1");
    }

    #[test]
    fn one_address_has_so_many_places() {
        let crowd = Crowd::default();
        let far: IpAddr = "203.0.113.9".parse().unwrap();
        let mut places: Vec<Place> = (0..MOST_OF_ONE).map(|_| crowd.enter(far, &[]).unwrap()).collect();
        assert!(crowd.enter(far, &[]).is_none());
        assert!(crowd.enter(far, &[far]).is_some());
        places.pop();
        assert!(crowd.enter(far, &[]).is_some());
        drop(places);
        assert!(crowd.0.lock().unwrap().is_empty());
    }
}
