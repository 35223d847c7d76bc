//! A slow link: relays TCP to a server on this machine, late and throttled. The rate is shared by all connections, as
//! on a real one.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Bytes handed on at once; small, so that a slow rate is even.
const CHUNK: usize = 1460;

/// Starts the link to `server` and gives its address. `rate` in bit/s; `delay` before every request goes on.
pub fn start(server: SocketAddr, rate: f64, delay: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let free_at = Arc::new(Mutex::new(Instant::now()));
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(upstream) = TcpStream::connect(server) else { continue };
            client.set_nodelay(true).unwrap();
            upstream.set_nodelay(true).unwrap();
            let (up_from, up_to) = (client.try_clone().unwrap(), upstream.try_clone().unwrap());
            std::thread::spawn(move || relay(up_from, up_to, |_| std::thread::sleep(delay)));
            let free_at = Arc::clone(&free_at);
            std::thread::spawn(move || {
                relay(upstream, client, |bytes| {
                    let wait = {
                        let mut free_at = free_at.lock().unwrap();
                        *free_at = (*free_at).max(Instant::now())
                            + Duration::from_secs_f64(bytes as f64 * 8.0 / rate);
                        free_at.saturating_duration_since(Instant::now())
                    };
                    std::thread::sleep(wait);
                });
            });
        }
    });
    address
}

fn relay(mut from: TcpStream, mut to: TcpStream, pause: impl Fn(usize)) {
    let mut buffer = [0; CHUNK];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        pause(n);
        if to.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
    let _ = from.shutdown(std::net::Shutdown::Both);
}
