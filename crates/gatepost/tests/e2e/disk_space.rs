//! The disk of the queue runs full: clients are told 452 4.3.1 before anything is lost, what was accepted is kept and delivered, and
//! nobody has to do anything once there is space again. On a small file system of its own, which only root may mount.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::client::{Client, Reply};
use crate::support::gateway::{Gateway, Setup};
use crate::support::programs::run;
use crate::support::sink::Manner;
use crate::support::{await_some_or, head, message, unused_address};

const QUEUED: &str = "cut_through = false\nretry_min = \"1s\"\nretry_max = \"1s\"\n";
const MIB: usize = 1 << 20;

/// A file system in memory.
struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    fn mount(mebibytes: usize) -> SmallDisk {
        let folder = tempfile::tempdir().unwrap();
        let disk = SmallDisk { folder };
        let size = format!("size={mebibytes}m");
        let place = disk.path().display().to_string();
        run(
            "/bin/mount",
            &["-t", "tmpfs", "-o", &size, "gp-test", &place],
            b"",
        )
        .expect_success();
        disk
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes so much of it away.
    fn take(&self, mebibytes: usize) -> PathBuf {
        let path = self.path().join("taken");
        fs::write(&path, vec![0; mebibytes * MIB]).unwrap();
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let place = self.path().display().to_string();
        // The gateway is gone by then; if it is not, the mount goes with the last of its files.
        let _ = run("/bin/umount", &["-l", &place], b"");
    }
}

fn gateway(disk: &SmallDisk, nexthop: &str) -> Gateway {
    let folder = disk.path().join("queue");
    Setup::new()
        .route(nexthop, QUEUED)
        .more(&format!(
            "[queue]\nfolder = \"{}\"\nreserve = \"16MiB\"",
            folder.display()
        ))
        .start()
}

fn rcpt(gateway: &Gateway) -> Reply {
    let mut client = Client::greet(gateway.address());
    client
        .command("MAIL FROM:<ann@example.net>")
        .expect_code(250);
    let reply = client.command("RCPT TO:<bob@example.com>");
    client.quit();
    reply
}

#[track_caller]
fn await_code(gateway: &Gateway, code: u16) -> Reply {
    await_some_or(
        || format!("no {code}: {:#?}", gateway.log()),
        || Some(rcpt(gateway)).filter(|reply| reply.code == code),
    )
}

#[test]
fn a_disk_that_runs_full_refuses_and_recovers_by_itself() {
    let disk = SmallDisk::mount(64);
    let address = unused_address();
    let gateway = gateway(&disk, &format!("smtp:{address}"));
    let kept = message("before it was full");
    gateway.submit(&["bob@example.com"], &kept);
    let taken = disk.take(50);
    await_code(&gateway, 452).expect(452, "4.3.1");
    let event = gateway.await_event("disk-full", |_| true);
    assert!(
        event["bytes_free"].as_u64() < event["bytes_reserved"].as_u64(),
        "{event:#}"
    );
    // A full disk keeps nobody from delivering what is there: that makes room.
    let sink = Manner::smtp().start_at(address);
    head(&sink.one().content, &kept);
    gateway.await_empty_queue();
    await_code(&gateway, 452);
    fs::remove_file(taken).unwrap();
    await_code(&gateway, 250);
    gateway.await_event("disk-free", |_| true);
    let later = message("after it was full");
    gateway.submit(&["bob@example.com"], &later);
    head(&sink.at_least(2)[1].content, &later);
}

#[test]
fn messages_that_fill_the_disk_are_refused_and_none_is_lost() {
    let disk = SmallDisk::mount(48);
    let address = unused_address();
    let gateway = gateway(&disk, &format!("smtp:{address}"));
    let mut large = message("large");
    large.extend_from_slice(&b"0123456789abcdef0123456789abcdef\r\n".repeat(3 * MIB / 34));
    let mut accepted = 0;
    // 32 MiB may be used: the twelfth at the latest does not fit.
    let refusal = (0..12).find_map(|_| {
        let mut client = Client::greet(gateway.address());
        client
            .command("MAIL FROM:<ann@example.net>")
            .expect_code(250);
        let reply = client.command("RCPT TO:<bob@example.com>");
        let reply = if reply.code == 250 {
            client.data(&large)
        } else {
            reply
        };
        client.quit();
        accepted += usize::from(reply.code == 250);
        (reply.code != 250).then_some(reply)
    });
    refusal.unwrap().expect(452, "4.3.1");
    assert!(accepted > 0);
    let sink = Manner::smtp().start_at(address);
    let received = sink.at_least(accepted);
    for received in received {
        head(&received.content, &large);
    }
    gateway.await_empty_queue();
    assert_eq!(sink.received().len(), accepted);
    // Delivered ones make room.
    await_code(&gateway, 250);
}
