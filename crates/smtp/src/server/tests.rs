use super::*;

fn session(settings: Settings) -> Session {
    Session::new(Arc::new(settings), Trust::default())
}

/// Feeds all of it and accepts everything; the requests.
fn feed(session: &mut Session, mut wire: &[u8]) -> Vec<Request> {
    let mut requests = Vec::new();
    loop {
        match session.next(&mut wire) {
            Step::Read | Step::Close(_) | Step::StartTls => return requests,
            Step::Request(request) => {
                requests.push(request);
                session.answer(Answer::Accept);
            }
            Step::Content(_) | Step::Reset => {}
        }
    }
}

#[test]
fn an_idle_session_is_small() {
    assert!(size_of::<Session>() <= 256, "{}", size_of::<Session>());
    let mut session = session(Settings::new("mx.example.net"));
    session.banner();
    feed(
        &mut session,
        b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n",
    );
    feed(&mut session, b"DA");
    feed(&mut session, b"TA\r\nx\r\n.\r\nNOO");
    feed(&mut session, b"P\r\n");
    assert!(!session.take_output().is_empty());
    assert_eq!(session.output.capacity(), 0);
    assert_eq!(session.line.kept_bytes(), 0);
    assert!(matches!(session.stage, Stage::Command));
}

#[test]
fn an_endless_line_takes_no_memory() {
    let mut session = session(Settings::new("mx.example.net"));
    let piece = [b'x'; 10_000];
    let mut pieces = 0;
    loop {
        let mut input = &piece[..];
        match session.next(&mut input) {
            Step::Read => pieces += 1,
            step => {
                assert_eq!(step, Step::Close(CloseReason::TooMuchData));
                break;
            }
        }
        assert_eq!(session.line.kept_bytes(), 0);
    }
    assert!(pieces < 110);
    assert_eq!(session.take_output(), b"421 4.7.0 Endless line\r\n");
}

#[test]
fn tls_in_place_of_smtp_is_told_at_once() {
    let mut session = session(Settings::new("mx.example.net"));
    session.banner();
    let mut input = &b"\x16\x03\x01\x02\x00\x01\x00"[..];
    assert_eq!(
        session.next(&mut input),
        Step::Close(CloseReason::ForeignProtocol)
    );
    assert!(input.is_empty());
}

#[test]
fn starttls_forgets_everything() {
    let mut settings = Settings::new("mx.example.net");
    settings.starttls = true;
    settings.auth = AuthOffer::Always;
    let mut session = session(settings);
    feed(&mut session, b"EHLO c\r\nAUTH PLAIN AHVzZXIAc2VjcmV0\r\n");
    session.take_output();
    let mut input = &b"STARTTLS\r\nMAIL FROM:<injected@b.example>\r\nNOO"[..];
    assert_eq!(session.next(&mut input), Step::StartTls);
    assert!(input.is_empty(), "what was pipelined is dropped");
    // What a careless caller still gives is dropped too.
    let mut late = &b"MAIL FROM:<injected@b.example>\r\nNOO"[..];
    assert_eq!(session.next(&mut late), Step::Read);
    assert!(late.is_empty());
    assert_eq!(session.take_output(), b"220 2.0.0 Ready to start TLS\r\n");
    session.tls_established();
    assert!(session.is_tls() && !session.authenticated);
    assert!(feed(&mut session, b"MAIL FROM:<a@b.example>\r\n").is_empty());
    assert_eq!(session.take_output(), b"503 5.5.1 Send EHLO first\r\n");
    feed(&mut session, b"EHLO c\r\n");
    assert!(!String::from_utf8_lossy(session.output()).contains("STARTTLS"));
}

#[test]
fn phases_choose_the_timeouts() {
    let mut settings = Settings::new("mx.example.net");
    settings.auth = AuthOffer::Always;
    let mut session = session(settings);
    assert_eq!(session.phase(), Phase::Command);
    feed(&mut session, b"EHLO c\r\nAUTH LOGIN\r\n");
    assert_eq!(session.phase(), Phase::AuthExchange);
    feed(
        &mut session,
        b"*\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n",
    );
    assert_eq!(session.phase(), Phase::Data);
    assert!(session.in_transaction());
    feed(&mut session, b".\r\n");
    assert_eq!(session.phase(), Phase::Command);
    assert!(!session.in_transaction());
    assert_eq!(session.last_refused(), Some((Verb::Auth, 501)));
}

#[test]
fn ten_thousand_recipients() {
    let mut session = session(Settings::new("mx.example.net"));
    feed(&mut session, b"EHLO c\r\nMAIL FROM:<>\r\n");
    session.take_output();
    for number in 0..10_000 {
        let line = format!("RCPT TO:<{number}@b.example>\r\n");
        let requests = feed(&mut session, line.as_bytes());
        assert_eq!(requests.len(), usize::from(number < 1000));
        let reply: &[u8] = if number < 1000 { b"250" } else { b"452" };
        assert!(session.take_output().starts_with(reply));
    }
    assert_eq!(session.recipients(), 1000);
    assert_eq!(session.bad_commands(), 0);
}

#[test]
fn a_harvest_of_addresses_ends() {
    let mut session = session(Settings::new("mx.example.net"));
    feed(&mut session, b"EHLO c\r\nMAIL FROM:<>\r\n");
    for number in 0..=crate::limits::REFUSED_RECIPIENTS_MAX {
        let line = format!("RCPT TO:<{number}@b.example>\r\n");
        let mut input = line.as_bytes();
        assert!(matches!(session.next(&mut input), Step::Request(_)));
        session.answer(Answer::Reply(Reply::new(550, None, "no such mailbox")));
    }
    assert_eq!(
        session.next(&mut &b""[..]),
        Step::Close(CloseReason::TooManyCommands)
    );
    assert!(
        session
            .take_output()
            .ends_with(b"421 4.7.0 Too many unknown recipients\r\n")
    );
}

#[test]
fn what_has_a_defect_cannot_be_accepted() {
    let kind = Reply::new(250, None, "kept");
    for answer in [
        Answer::Accept,
        Answer::Reply(kind.clone()),
        Answer::Recipients {
            replies: vec![kind.clone()],
            last: kind,
        },
    ] {
        let mut session = session(Settings::new("mx.example.net"));
        feed(
            &mut session,
            b"EHLO c\r\nMAIL FROM:<> PRDR\r\nRCPT TO:<a@b.example>\r\nDATA\r\n",
        );
        session.take_output();
        let mut input = &b"a\n\r\n.\r\n"[..];
        let step = loop {
            match session.next(&mut input) {
                Step::Content(content) => assert_eq!(content, b"a"),
                step => break step,
            }
        };
        let Step::Request(Request::End(content)) = step else {
            panic!("{step:?}");
        };
        assert_eq!(content.defect, Some(Defect::BareNewline));
        session.answer(answer);
        assert!(session.take_output().starts_with(b"550 5.5.2"));
    }
}

#[test]
fn a_yes_has_the_code_that_the_client_waits_for() {
    let yes = |code| Answer::Reply(Reply::new(code, None, "yes"));
    let mut settings = Settings::new("mx.example.net");
    settings.auth = AuthOffer::Always;
    let mut session = session(settings);
    feed(&mut session, b"EHLO c\r\n");
    for (command, given, said) in [
        ("AUTH PLAIN AHVzZXIAc2VjcmV0", 250, "235 2.7.0 yes"),
        ("MAIL FROM:<>", 354, "250 2.1.0 yes"),
        ("RCPT TO:<a@b.example>", 251, "251 yes"),
        ("DATA", 250, "354 yes"),
        (".", 354, "250 yes"),
    ] {
        session.take_output();
        let line = format!("{command}\r\n");
        let mut input = line.as_bytes();
        let step = session.next(&mut input);
        assert!(matches!(step, Step::Request(_)), "{step:?}");
        session.answer(yes(given));
        let output = String::from_utf8(session.take_output()).unwrap();
        assert_eq!(output.trim_end(), said, "{command}");
    }
}

#[test]
fn every_defect_has_its_reply() {
    let settings = Settings::new("mx.example.net");
    for (defect, start) in [
        (Defect::BareNewline, "550 5.5.2 "),
        (Defect::LineTooLong, "554 5.6.0 "),
        (Defect::TooLarge, "552 5.3.4 "),
        (Defect::HeaderTooLarge, "552 5.3.4 "),
    ] {
        assert!(defect.reply(&settings).to_string().starts_with(start));
    }
}

#[test]
fn a_session_may_be_ended_at_any_time() {
    let mut session = session(Settings::new("mx.example.net"));
    session.banner();
    feed(
        &mut session,
        b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\nx",
    );
    session.take_output();
    session.refuse(Reply::new(421, crate::Status::NOT_ACCEPTING, "stopping"));
    let mut input = &b"y\r\n.\r\n"[..];
    assert_eq!(session.next(&mut input), Step::Close(CloseReason::Refused));
    assert_eq!(session.next(&mut input), Step::Close(CloseReason::Refused));
    assert_eq!(session.take_output(), b"421 4.3.2 stopping\r\n");
}
