//! Bytes: `read`, `write`, `set-size`, and streams.

use wasip2::filesystem::types::{DescriptorFlags, ErrorCode, OpenFlags, filesystem_error_code};
use wasip2::io::streams::StreamError;

use super::{Check, check};
use crate::asked::{CREATE, READ, WRITE, fails, good, read_all, same, write_all};

const BOTH: DescriptorFlags = READ.union(WRITE);

fn streamed<T>(what: &str, answer: Result<T, StreamError>) -> Result<T, String> {
    answer.map_err(|error| format!("{what}: {error:?}"))
}

pub(super) const CHECKS: &[Check] = &[
    check(
        "read-ends",
        "WASI read: the flag says that the file ends",
        |dir| {
            good("write", dir.write("file", b"hello"))?;
            let file = good("open", dir.reader("file"))?;
            same(
                "start",
                good("read", file.read(2, 0))?,
                (b"he".to_vec(), false),
            )?;
            same(
                "middle",
                good("read", file.read(2, 3))?,
                (b"lo".to_vec(), false),
            )?;
            same("rest", good("read", file.read(10, 3))?.0, b"lo".to_vec())?;
            same("at end", good("read", file.read(1, 5))?, (vec![], true))?;
            same("beyond", good("read", file.read(9, 99))?, (vec![], true))?;
            same("nothing", good("read", file.read(0, 0))?.0, vec![])
        },
    ),
    check(
        "read-offset",
        "POSIX pread: EINVAL for a negative offset",
        |dir| {
            good("write", dir.write("file", b"hello"))?;
            let file = good("open", dir.open("file", OpenFlags::empty(), BOTH))?;
            for at in [u64::MAX, 1 << 63] {
                fails("read", file.read(1, at), &[ErrorCode::Invalid])?;
                fails(
                    "write",
                    file.write(b"x", at),
                    &[ErrorCode::Invalid, ErrorCode::FileTooLarge],
                )?;
                let wrong = &[ErrorCode::Invalid, ErrorCode::FileTooLarge];
                fails("set-size", file.set_size(at), wrong)?;
            }
            same("kept", good("read", read_all(&file))?, b"hello".to_vec())
        },
    ),
    check(
        "write-hole",
        "POSIX pwrite: what lies between reads as zeros",
        |dir| {
            let file = good("open", dir.open("file", CREATE, BOTH))?;
            same("count", good("write", file.write(b"end", 5))?, 3)?;
            same(
                "bytes",
                good("read", read_all(&file))?,
                b"\0\0\0\0\0end".to_vec(),
            )?;
            good("write", file.write(b"ab", 1))?;
            same(
                "bytes",
                good("read", read_all(&file))?,
                b"\0ab\0\0end".to_vec(),
            )?;
            same("nothing", good("write", file.write(b"", 100))?, 0)?;
            same("size", good("stat", file.stat())?.size, 8)
        },
    ),
    check(
        "write-rights",
        "POSIX: EBADF without O_WRONLY or O_RDONLY",
        |dir| {
            good("write", dir.write("file", b"x"))?;
            let wrong = &[ErrorCode::BadDescriptor];
            let reader = good("open", dir.reader("file"))?;
            fails("write", reader.write(b"y", 0), wrong)?;
            fails(
                "set-size",
                reader.set_size(9),
                &[ErrorCode::BadDescriptor, ErrorCode::Invalid],
            )?;
            let writer = good("open", dir.open("file", OpenFlags::empty(), WRITE))?;
            fails("read", writer.read(1, 0), wrong)
        },
    ),
    check(
        "directory-bytes",
        "POSIX: EISDIR for read, EBADF for write; WASI advise: bad-descriptor",
        |dir| {
            use wasip2::filesystem::types::Advice;
            let no_file = &[ErrorCode::IsDirectory, ErrorCode::BadDescriptor];
            fails("read", dir.0.read(1, 0), no_file)?;
            fails("write", dir.0.write(b"x", 0), no_file)?;
            fails(
                "set-size",
                dir.0.set_size(1),
                &[ErrorCode::BadDescriptor, ErrorCode::Invalid],
            )?;
            fails("reader", dir.0.read_via_stream(0), no_file)?;
            fails("writer", dir.0.write_via_stream(0), no_file)?;
            fails("appender", dir.0.append_via_stream(), no_file)?;
            fails(
                "advise",
                dir.0.advise(0, 0, Advice::Normal),
                &[ErrorCode::BadDescriptor],
            )
        },
    ),
    check("set-size", "POSIX ftruncate", |dir| {
        good("write", dir.write("file", b"hello"))?;
        let file = good("open", dir.open("file", OpenFlags::empty(), BOTH))?;
        good("grow", file.set_size(8))?;
        same(
            "zeros",
            good("read", read_all(&file))?,
            b"hello\0\0\0".to_vec(),
        )?;
        good("shrink", file.set_size(2))?;
        same("cut", good("read", read_all(&file))?, b"he".to_vec())?;
        good("grow again", file.set_size(4))?;
        same("zeros", good("read", read_all(&file))?, b"he\0\0".to_vec())?;
        good("rm", dir.rm("file"))?;
        good("without a name", file.set_size(42))?;
        same("size", good("stat", file.stat())?.size, 42)
    }),
    check(
        "big-file",
        "a megabyte and more, in one write and one read",
        |dir| {
            let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
            good("write", dir.write("file", &bytes))?;
            same("size", good("stat", dir.stat("file"))?.size, 3_000_000)?;
            let back = good("read", dir.read("file"))?;
            crate::asked::holds("other bytes", back == bytes)
        },
    ),
    check(
        "two-handles",
        "POSIX: a write is seen through every handle",
        |dir| {
            good("write", dir.write("file", b"aaaa"))?;
            let one = good("open", dir.open("file", OpenFlags::empty(), BOTH))?;
            let two = good("open", dir.reader("file"))?;
            good("write", one.write(b"bb", 1))?;
            same("seen", good("read", read_all(&two))?, b"abba".to_vec())?;
            good("cut", one.set_size(1))?;
            same("seen", good("read", read_all(&two))?, b"a".to_vec())
        },
    ),
    check(
        "write-stream",
        "WASI write-via-stream: goes on from its offset",
        |dir| {
            let file = good("open", dir.open("file", CREATE, BOTH))?;
            let stream = good("stream", file.write_via_stream(5))?;
            streamed("write", stream.blocking_write_and_flush(b"Hello, "))?;
            streamed("write", stream.blocking_write_and_flush(b"World!"))?;
            drop(stream);
            same(
                "bytes",
                good("read", read_all(&file))?,
                b"\0\0\0\0\0Hello, World!".to_vec(),
            )
        },
    ),
    check(
        "read-stream",
        "WASI read-via-stream: closed at the end",
        |dir| {
            good("write", dir.write("file", b"Hello, World!"))?;
            let file = good("open", dir.reader("file"))?;
            let stream = good("stream", file.read_via_stream(7))?;
            let mut bytes = Vec::new();
            let end = loop {
                match stream.blocking_read(4) {
                    Ok(more) => bytes.extend(more),
                    Err(end) => break end,
                }
            };
            same("bytes", bytes, b"World!".to_vec())?;
            same("end", matches!(end, StreamError::Closed), true)?;
            drop(stream);
            let empty = good("stream", file.read_via_stream(99))?;
            same(
                "beyond",
                matches!(empty.blocking_read(1), Err(StreamError::Closed)),
                true,
            )
        },
    ),
    check("poll-stream", "WASI poll: files are always ready", |dir| {
        good("write", dir.write("file", b"abc"))?;
        let file = good("open", dir.open("file", OpenFlags::empty(), BOTH))?;
        let reader = good("reader", file.read_via_stream(0))?;
        let writer = good("writer", file.write_via_stream(3))?;
        let (can_read, can_write) = (reader.subscribe(), writer.subscribe());
        let ready = wasip2::io::poll::poll(&[&can_read, &can_write]);
        same("ready", ready.is_empty(), false)?;
        can_read.block();
        can_write.block();
        same("room", streamed("check", writer.check_write())? > 0, true)?;
        drop((can_read, can_write));
        drop((reader, writer));
        same("bytes", good("read", read_all(&file))?, b"abc".to_vec())
    }),
    check(
        "append",
        "POSIX O_APPEND: at the end, wherever that is",
        |dir| {
            good("write", dir.write("file", b"one"))?;
            let file = good("open", dir.open("file", OpenFlags::empty(), BOTH))?;
            let (a, b) = (
                good("stream", file.append_via_stream())?,
                good("stream", file.append_via_stream())?,
            );
            streamed("write", a.blocking_write_and_flush(b" two"))?;
            streamed("write", b.blocking_write_and_flush(b" three"))?;
            good("write", write_all(&file, b"ONE", 0))?;
            streamed("write", a.blocking_write_and_flush(b" four"))?;
            good("cut", file.set_size(3))?;
            streamed("write", b.blocking_write_and_flush(b" five"))?;
            same(
                "bytes",
                good("read", read_all(&file))?,
                b"ONE five".to_vec(),
            )
        },
    ),
    check(
        "stream-rights",
        "WASI: bad-descriptor for a stream that the handle cannot have",
        |dir| {
            good("write", dir.write("file", b"x"))?;
            let reader = good("open", dir.reader("file"))?;
            let answer = reader.write_via_stream(0);
            let code = match answer {
                Err(code) => Some(code),
                Ok(stream) => match stream.blocking_write_and_flush(b"y") {
                    Err(StreamError::LastOperationFailed(error)) => filesystem_error_code(&error),
                    _ => None,
                },
            };
            same("code", code, Some(ErrorCode::BadDescriptor))?;
            same("kept", good("read", read_all(&reader))?, b"x".to_vec())
        },
    ),
    check("splice", "WASI splice: from one file to another", |dir| {
        good("write", dir.write("from", b"some bytes"))?;
        let from = good("open", dir.reader("from"))?;
        let to = good("open", dir.open("to", CREATE, BOTH))?;
        let (reader, writer) = (
            good("reader", from.read_via_stream(0))?,
            good("writer", to.write_via_stream(0))?,
        );
        let mut left = 10;
        while left > 0 {
            left -= streamed("splice", writer.blocking_splice(&reader, left))?;
        }
        streamed("flush", writer.blocking_flush())?;
        drop((reader, writer));
        same(
            "bytes",
            good("read", read_all(&to))?,
            b"some bytes".to_vec(),
        )
    }),
];
