//! Requests as collectors send them, and as nobody should.

use std::net::SocketAddr;

use super::*;

/// A server that ends with the test's process; what it serves counts the pages.
fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut pages = 0;
        serve(listener, || {
            pages += 1;
            format!("a_total {pages}\n")
        })
    });
    address
}

fn asked(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request).unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).unwrap();
    String::from_utf8(said).unwrap()
}

fn status(address: SocketAddr, request: &str) -> String {
    let said = asked(address, request.as_bytes());
    let (head, body) = said.split_once("\r\n\r\n").unwrap();
    let length = format!("Content-Length: {}\r\n", body.len());
    assert!(head.contains(&length), "{head}");
    let line = head.lines().next().unwrap();
    line.strip_prefix("HTTP/1.1 ").unwrap().to_owned()
}

#[test]
fn a_collector_gets_the_page() {
    let address = server();
    let said = asked(address, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert!(said.starts_with("HTTP/1.1 200 OK\r\n"), "{said}");
    assert!(
        said.contains("Content-Type: text/plain; version=0.0.4"),
        "{said}"
    );
    assert!(said.ends_with("\r\n\r\na_total 1\n"), "{said}");
    let again = asked(
        address,
        b"GET /metrics?x HTTP/1.0\r\nAccept: */*\r\nContent-Length: 0\r\n\r\n",
    );
    assert!(again.ends_with("a_total 2\n"), "{again}");
}

#[test]
fn everything_else_gets_a_refusal() {
    let address = server();
    let get = |rest: &str| format!("GET /metrics HTTP/1.1\r\n{rest}\r\n");
    let long = format!("X: {}\r\n", "x".repeat(20_000));
    for (request, expect) in [
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), "404 Not Found"),
        ("GET /metrics/ HTTP/1.1\r\n\r\n".to_owned(), "404 Not Found"),
        (
            "POST /metrics HTTP/1.1\r\n\r\n".to_owned(),
            "405 Method Not Allowed",
        ),
        ("GET /metrics\r\n\r\n".to_owned(), "400 Bad Request"),
        ("GET /metrics HTTP/2\r\n\r\n".to_owned(), "400 Bad Request"),
        (
            "GET  /metrics HTTP/1.1\r\n\r\n".to_owned(),
            "400 Bad Request",
        ),
        (get("no header\r\n"), "400 Bad Request"),
        (get("Host : localhost\r\n"), "400 Bad Request"),
        (
            get("Host: localhost\r\nhost: localhost\r\n"),
            "400 Bad Request",
        ),
        (get("Content-Length: 5\r\n"), "400 Bad Request"),
        (get("Transfer-Encoding: chunked\r\n"), "400 Bad Request"),
        (get("Host: evil.example\r\n"), "421 Misdirected Request"),
        (
            get("Host: localhost.evil.example:80\r\n"),
            "421 Misdirected Request",
        ),
        (get(&long), "431 Request Header Fields Too Large"),
    ] {
        assert_eq!(status(address, &request), expect, "{request:.60}");
    }
    for host in ["localhost:9477", "127.0.0.1:1", "127.9.9.9", "[::1]:9477"] {
        let request = get(&format!("Host: {host}\r\n"));
        assert_eq!(status(address, &request), "200 OK", "{host}");
    }
    assert!(asked(address, b"\xff\xfe\r\n\r\n").starts_with("HTTP/1.1 400"));
}

#[test]
fn who_says_nothing_keeps_a_seat_no_longer_than_the_line() {
    let address = server();
    let silent: Vec<_> = (0..AT_ONCE_MAX)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    // All seats are taken as soon as these were let in, which is before whoever comes after them.
    let said = asked(address, b"GET /metrics HTTP/1.1\r\n\r\n");
    assert!(said.starts_with("HTTP/1.1 503"), "{said}");
    drop(silent);
    // Their threads notice by and by.
    let served = (0..1_000).any(|_| {
        std::thread::sleep(Duration::from_millis(5));
        status(address, "GET /metrics HTTP/1.1\r\n\r\n") == "200 OK"
    });
    assert!(served);
}
