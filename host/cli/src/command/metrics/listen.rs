//! A server of one page: just enough HTTP for a collector, and not more.
//!
//! **Invariant:** whoever connects gets a thread only while there are few, and each a few seconds and a few kilobytes; what
//! is not `GET /metrics` gets a short refusal. On a loopback address, a browser that was led here under another name gets
//! nothing.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::time::{Duration, Instant};

// Limit: a request line and the headers of a collector or browser.
const HEAD_BYTES_MAX: usize = 8 << 10;
// Limit: a collector on this machine sends its request at once; whoever is slower keeps others waiting.
const HEAD_TIME: Duration = Duration::from_secs(5);
// Limit: a page of a thousand loops is a megabyte, read on the same machine.
const PAGE_TIME: Duration = Duration::from_secs(10);
// Limit: some collectors and a person; more at once are told to come back.
const AT_ONCE_MAX: usize = 8;
// Limit: what is read, and thrown away, of a request that was refused, so that the refusal gets there.
const DRAINED_BYTES_MAX: usize = 64 << 10;
// How long to wait for that, and not to accept anything after that failed: no more open files, most likely.
const PAUSE: Duration = Duration::from_millis(100);

/// Where the page goes to that somebody asked for.
type Asker = SyncSender<Arc<str>>;

/// Serves what `page` makes, until the process ends.
pub(super) fn serve(
    listener: TcpListener,
    mut page: impl FnMut() -> String,
) -> Result<(), io::Error> {
    let is_loopback = listener.local_addr()?.ip().is_loopback();
    let (ask, asked): (SyncSender<Asker>, Receiver<Asker>) = mpsc::sync_channel(AT_ONCE_MAX);
    std::thread::Builder::new().spawn(move || accept(&listener, &ask, is_loopback))?;
    while let Ok(asker) = asked.recv() {
        let text: Arc<str> = page().into();
        // Who asked meanwhile gets the same.
        for asker in std::iter::once(asker).chain(asked.try_iter()) {
            if asker.send(Arc::clone(&text)).is_err() {
                tracing::debug!("somebody asked for figures and left");
            }
        }
    }
    Ok(())
}

fn accept(listener: &TcpListener, ask: &SyncSender<Asker>, is_loopback: bool) {
    let seats = Arc::new(());
    loop {
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!(%error, "nobody can be let in");
                std::thread::sleep(PAUSE);
                continue;
            }
        };
        if Arc::strong_count(&seats) > AT_ONCE_MAX {
            ended(answer(&stream, Answer::Busy).and_then(|()| drain(&stream)));
            continue;
        }
        let (seat, ask) = (Arc::clone(&seats), ask.clone());
        let started = std::thread::Builder::new().spawn(move || {
            ended(talk(&stream, &ask, is_loopback));
            drop(seat);
        });
        if let Err(error) = started {
            tracing::debug!(%error, "no thread for somebody who asks for figures");
        }
    }
}

fn ended(talked: io::Result<()>) {
    if let Err(error) = talked {
        tracing::debug!(%error, "somebody asked for figures and did not wait for them");
    }
}

fn talk(stream: &TcpStream, ask: &SyncSender<Asker>, is_loopback: bool) -> io::Result<()> {
    let wanted = match read_head(stream)? {
        Ok(head) => judge(&head, is_loopback),
        Err(refusal) => refusal,
    };
    if wanted != Answer::Page {
        answer(stream, wanted)?;
        return drain(stream);
    }
    let (send, receive) = mpsc::sync_channel(1);
    let page = ask
        .send(send)
        .ok()
        .and_then(|()| receive.recv_timeout(PAGE_TIME).ok());
    match page {
        Some(page) => write(stream, "200 OK", "", &page),
        None => answer(stream, Answer::Busy),
    }
}

/// What a request gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// The page.
    Page,
    /// No request that HTTP knows, or one with a body.
    Malformed,
    /// Another page.
    Elsewhere,
    /// Another method.
    Method,
    /// Its head took too long.
    Slow,
    /// It was meant for another machine.
    Misdirected,
    /// Its head is too long.
    TooLong,
    /// Others are being served.
    Busy,
}

/// Reads up to the empty line that ends the headers.
fn read_head(mut stream: &TcpStream) -> io::Result<Result<String, Answer>> {
    let begun = Instant::now();
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    loop {
        let Some(left) = left(begun, HEAD_TIME) else {
            return Ok(Err(Answer::Slow));
        };
        stream.set_read_timeout(Some(left))?;
        let read = match stream.read(&mut piece) {
            Ok(0) => return Ok(Err(Answer::Malformed)),
            Ok(read) => read,
            Err(error) if is_timeout(&error) => return Ok(Err(Answer::Slow)),
            Err(error) => return Err(error),
        };
        head.extend_from_slice(piece.get(..read).unwrap_or_default());
        if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
            head.truncate(end);
            return Ok(String::from_utf8(head).map_err(|_| Answer::Malformed));
        }
        if head.len() > HEAD_BYTES_MAX {
            return Ok(Err(Answer::TooLong));
        }
    }
}

fn left(begun: Instant, time: Duration) -> Option<Duration> {
    time.checked_sub(begun.elapsed())
        .filter(|left| !left.is_zero())
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn judge(head: &str, is_loopback: bool) -> Answer {
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some("HTTP/1.1" | "HTTP/1.0"), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Answer::Malformed;
    };
    let mut host = None;
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            return Answer::Malformed;
        };
        match name.to_ascii_lowercase().as_str() {
            "host" if host.is_some() => return Answer::Malformed,
            "host" => host = Some(value.trim()),
            // A body would be the beginning of another request.
            "" | "transfer-encoding" => return Answer::Malformed,
            "content-length" if value.trim() != "0" => return Answer::Malformed,
            name if name.contains([' ', '\t']) => return Answer::Malformed,
            _ => {}
        }
    }
    if is_loopback && !host.is_none_or(is_this_machine) {
        return Answer::Misdirected;
    }
    match (target.split('?').next(), method) {
        (Some("/metrics"), "GET") => Answer::Page,
        (Some("/metrics"), _) => Answer::Method,
        _ => Answer::Elsewhere,
    }
}

/// True for a host that no name server can have led anybody to.
fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.chars().all(|c| c.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(name);
    let is_address = bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    is_address || name.eq_ignore_ascii_case("localhost")
}

fn answer(stream: &TcpStream, answer: Answer) -> io::Result<()> {
    let (status, more) = match answer {
        Answer::Page => ("200 OK", ""),
        Answer::Malformed => ("400 Bad Request", ""),
        Answer::Elsewhere => ("404 Not Found", ""),
        Answer::Method => ("405 Method Not Allowed", "Allow: GET\r\n"),
        Answer::Slow => ("408 Request Timeout", ""),
        Answer::Misdirected => ("421 Misdirected Request", ""),
        Answer::TooLong => ("431 Request Header Fields Too Large", ""),
        Answer::Busy => ("503 Service Unavailable", "Retry-After: 5\r\n"),
    };
    write(stream, status, more, &format!("{status}\n"))
}

fn write(mut stream: &TcpStream, status: &str, more: &str, body: &str) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
         Connection: close\r\n{more}\r\n",
        body.len()
    );
    let begun = Instant::now();
    let all = head + body;
    let mut rest = all.as_bytes();
    while !rest.is_empty() {
        let left = left(begun, PAGE_TIME).ok_or(ErrorKind::TimedOut)?;
        stream.set_write_timeout(Some(left))?;
        let written = stream.write(rest)?;
        if written == 0 {
            return Err(ErrorKind::WriteZero.into());
        }
        rest = rest.get(written..).unwrap_or_default();
    }
    stream.shutdown(Shutdown::Write)
}

/// Takes in what is still coming: closing on it would take the answer back.
fn drain(mut stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PAUSE))?;
    let mut piece = [0; 4096];
    let mut read = 0;
    while read < DRAINED_BYTES_MAX {
        match stream.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(more) => read += more,
            Err(error) if is_timeout(&error) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
