//! Two network namespaces and a cable: the gateway's side, and that of servers in many networks.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::ops::RangeInclusive;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

/// What to play, for the process inside of the namespace.
pub(crate) const SCENE: &str = "GATEPOST_FAMILIES_SCENE";
/// The port of all servers.
pub(crate) const PORT: u16 = 2525;
/// On this port the other side tells over which families it was reached.
const TELLS_PORT: u16 = 2526;
/// Servers; each is in a network of its own.
pub(crate) const HOSTS: Hosts = Hosts(1..=10);

/// The numbers of the servers.
#[derive(Clone)]
pub(crate) struct Hosts(RangeInclusive<u8>);

impl Hosts {
    pub(crate) fn count(&self) -> usize {
        self.0.clone().count()
    }
}

impl IntoIterator for Hosts {
    type Item = u8;
    type IntoIter = RangeInclusive<u8>;

    fn into_iter(self) -> RangeInclusive<u8> {
        self.0
    }
}

/// How IPv6 is on the gateway's side. IPv4 always works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ipv6 {
    Works,
    WithoutRoute,
    Refused,
    Vanishes,
    Off,
}

/// Both namespaces; they end with it.
pub(crate) struct World {
    near: String,
    far: String,
    servers: Option<Child>,
}

/// Connections that the servers saw.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FamiliesSeen {
    pub(crate) ipv4: usize,
    pub(crate) ipv6: usize,
}

/// Addresses for documentation and benchmarks (RFC 2544, RFC 3849): no network of ours, and none that is reached from here.
pub(crate) fn ipv4(host: u8) -> Ipv4Addr {
    Ipv4Addr::new(198, 18, host, 25)
}

pub(crate) fn ipv6(host: u8) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0x1000 + u16::from(host), 0, 0, 0, 0, 0x25)
}

impl World {
    pub(crate) fn new(ipv6_is: Ipv6) -> World {
        static WORLDS: AtomicU32 = AtomicU32::new(0);
        let number = WORLDS.fetch_add(1, Ordering::Relaxed);
        let name = format!("gp{}-{number}", std::process::id());
        let world = World {
            near: format!("{name}n"),
            far: format!("{name}f"),
            servers: None,
        };
        ip(&["netns", "add", &world.near]);
        ip(&["netns", "add", &world.far]);
        ip(&[
            "link",
            "add",
            "cable",
            "netns",
            &world.near,
            "type",
            "veth",
            "peer",
            "name",
            "cable",
            "netns",
            &world.far,
        ]);
        world.far_side(ipv6_is);
        world.near_side(ipv6_is);
        world
    }

    fn near_side(&self, ipv6_is: Ipv6) {
        let mut batch = "link set lo up\nlink set cable up\naddr add 198.18.0.1/24 dev cable\n\
                         route add default via 198.18.0.2\n"
            .to_owned();
        if ipv6_is == Ipv6::Off {
            inside(
                &self.near,
                &[
                    "sh",
                    "-c",
                    "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6",
                ],
            );
        } else {
            batch.push_str("addr add 2001:db8::1/64 dev cable nodad\n");
        }
        if !matches!(ipv6_is, Ipv6::Off | Ipv6::WithoutRoute) {
            batch.push_str("route add default via 2001:db8::2\n");
        }
        ip_batch(&self.near, &batch);
        // A cable without length brings a router's answer while `connect` still holds the socket, and Linux then waits for the
        // next SYN. On another processor it comes a moment later, as it does in the world.
        inside(
            &self.near,
            &[
                "sh",
                "-c",
                "echo 2 > /sys/class/net/cable/queues/rx-0/rps_cpus || true",
            ],
        );
    }

    fn far_side(&self, ipv6_is: Ipv6) {
        let mut batch = "link set lo up\nlink set cable up\naddr add 198.18.0.2/24 dev cable\n\
                         addr add 2001:db8::2/64 dev cable nodad\n"
            .to_owned();
        for host in HOSTS {
            writeln!(batch, "addr add {}/32 dev lo", ipv4(host)).unwrap();
            if ipv6_is == Ipv6::Works {
                writeln!(batch, "addr add {}/128 dev lo nodad", ipv6(host)).unwrap();
            }
        }
        match ipv6_is {
            Ipv6::Refused => batch.push_str("route add unreachable 2001:db8:1000::/36\n"),
            Ipv6::Vanishes => batch.push_str("route add blackhole 2001:db8:1000::/36\n"),
            Ipv6::Works | Ipv6::WithoutRoute | Ipv6::Off => {}
        }
        inside(
            &self.far,
            &[
                "sh",
                "-c",
                "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding",
            ],
        );
        ip_batch(&self.far, &batch);
    }

    /// Starts the servers on the far side, and plays this scene on the near one.
    pub(crate) fn play(mut self, scene: &str) {
        let mut servers = this_test(&self.far, "servers");
        let mut servers = servers
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(servers.stdout.take().unwrap());
        self.servers = Some(servers);
        let ready = output
            .lines()
            .map_while(Result::ok)
            .any(|line| line.contains(READY));
        assert!(ready, "the servers did not start");
        let status = this_test(&self.near, "scene")
            .env(SCENE, scene)
            .status()
            .unwrap();
        assert!(
            status.success(),
            "{scene} failed; what it printed stands above"
        );
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(servers) = &mut self.servers {
            let _ = servers.kill();
            let _ = servers.wait();
        }
        for name in [&self.near, &self.far] {
            let _ = Command::new("ip").args(["netns", "del", name]).status();
        }
    }
}

const READY: &str = "servers are ready";

static SEEN: Mutex<FamiliesSeen> = Mutex::new(FamiliesSeen { ipv4: 0, ipv6: 0 });

/// Serves on the far side, in threads.
#[allow(clippy::print_stdout, reason = "the other process reads it")]
pub(crate) fn serve() {
    let anywhere = |port| SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    let servers = TcpListener::bind(anywhere(PORT)).unwrap();
    let tells = TcpListener::bind(anywhere(TELLS_PORT)).unwrap();
    thread::spawn(move || {
        for socket in servers.incoming().map_while(Result::ok) {
            thread::spawn(move || converse(&socket));
        }
    });
    thread::spawn(move || {
        for mut socket in tells.incoming().map_while(Result::ok) {
            let seen = *SEEN.lock().unwrap();
            let _ = write!(socket, "{} {}", seen.ipv4, seen.ipv6);
        }
    });
    println!("{READY}");
}

/// Takes messages, each counted by the family over which it came.
fn converse(socket: &TcpStream) {
    let is_ipv4 = socket.peer_addr().unwrap().ip().to_canonical().is_ipv4();
    let mut writer = socket;
    let mut say = |text: &str| writer.write_all(text.as_bytes());
    if say("220 mx.peer.test ESMTP\r\n").is_err() {
        return;
    }
    let mut in_data = false;
    for line in BufReader::new(socket).lines().map_while(Result::ok) {
        let said = match (in_data, line.as_str()) {
            (true, ".") => {
                in_data = false;
                let mut seen = SEEN.lock().unwrap();
                if is_ipv4 {
                    seen.ipv4 += 1;
                } else {
                    seen.ipv6 += 1;
                }
                say("250 2.0.0 taken\r\n")
            }
            (true, _) => Ok(()),
            (false, "DATA") => {
                in_data = true;
                say("354 go on\r\n")
            }
            (false, _) => say("250 ok\r\n"),
        };
        if said.is_err() {
            return;
        }
    }
}

/// Asks the far side over which families it was reached.
pub(crate) fn families_seen() -> FamiliesSeen {
    let mut socket = TcpStream::connect((Ipv4Addr::new(198, 18, 0, 2), TELLS_PORT)).unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).unwrap();
    let (ipv4, ipv6) = text.split_once(' ').unwrap();
    FamiliesSeen {
        ipv4: ipv4.parse().unwrap(),
        ipv6: ipv6.parse().unwrap(),
    }
}

/// One test of this program, inside of a namespace.
fn this_test(namespace: &str, test: &str) -> Command {
    let mut command = Command::new("ip");
    command
        .args(["netns", "exec", namespace])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"]);
    command
}

fn inside(namespace: &str, command: &[&str]) {
    ip(&[&["netns", "exec", namespace], command].concat());
}

fn ip(arguments: &[&str]) {
    let output = Command::new("ip")
        .args(arguments)
        .output()
        .expect("`ip` is missing: install iproute2");
    assert!(
        output.status.success(),
        "`ip {}`: {}; network namespaces need root (CAP_SYS_ADMIN and CAP_NET_ADMIN)",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Many commands at once.
fn ip_batch(namespace: &str, commands: &str) {
    let mut child = Command::new("ip")
        .args(["-n", namespace, "-batch", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("`ip` is missing: install iproute2");
    let mut input = child.stdin.take().unwrap();
    input.write_all(commands.as_bytes()).unwrap();
    drop(input);
    assert!(child.wait().unwrap().success(), "ip -batch:\n{commands}");
}
