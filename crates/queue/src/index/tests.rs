use super::{Index, NOWHERE, Segment};
use crate::RecipientState;
use crate::journal::Fate;
use crate::sidecar::Summary;

fn summary(id: u64, domains: &[&str]) -> Summary {
    Summary {
        id,
        offset: 48,
        record_bytes: 1000,
        apart: false,
        moved: false,
        arrived: 5000,
        lifetime: 60_000,
        delay_warning: 0,
        customer: "customer".into(),
        domains: domains.iter().map(|domain| (*domain).into()).collect(),
    }
}

fn index() -> Index {
    let mut index = Index::default();
    index.segments.insert(1, Segment::default());
    index.segments.insert(2, Segment::default());
    index
}

fn fate(state: RecipientState) -> Fate {
    Fate {
        state,
        ..Fate::new()
    }
}

#[test]
fn a_message_leaves_with_its_last_open_recipient() {
    let mut index = index();
    let slot = index
        .insert(1, &summary(7, &["a.example", "b.example"]), 9000, &[])
        .unwrap();
    assert_eq!(
        index.insert(1, &summary(7, &["a.example"]), 9000, &[]),
        None,
        "an id is there once"
    );
    assert!(
        index
            .follow(slot, 0, &fate(RecipientState::Delivered), 0)
            .is_none()
    );
    assert_eq!(
        (index.messages(), index.recipients, index.segments[&1].live),
        (1, 1, 1)
    );
    assert_eq!(
        index
            .follow(slot, 1, &fate(RecipientState::Failed), 50)
            .unwrap()
            .id,
        7
    );
    assert_eq!(
        (
            index.messages(),
            index.recipients,
            index.segments[&1].live_bytes
        ),
        (0, 0, 0)
    );
    assert!(
        index.lane_ids.is_empty(),
        "lanes without recipients are forgotten"
    );
    let again = index
        .insert(2, &summary(8, &["c.example"]), 9000, &[])
        .unwrap();
    assert_eq!(again, slot, "slots are used again");
}

#[test]
fn a_message_whose_recipients_are_all_final_is_not_taken_up() {
    let mut index = index();
    let fates = [(0, 10, fate(RecipientState::Delivered))];
    assert_eq!(
        index.insert(1, &summary(7, &["a.example"]), 9000, &fates),
        None
    );
}

#[test]
fn rerouting_changes_the_lane() {
    let mut index = index();
    let slot = index
        .insert(1, &summary(7, &["a.example"]), 9000, &[])
        .unwrap();
    let rerouted = Fate {
        rerouted: Some("smtp:mx2.example".to_owned()),
        ..Fate::new()
    };
    index.follow(slot, 0, &rerouted, NOWHERE);
    let lane = index.message(slot).unwrap().recipients[0].lane;
    assert_eq!(
        index.lane(lane).unwrap().nexthop.as_deref(),
        Some("smtp:mx2.example")
    );
    assert_eq!(index.lane_ids.len(), 1);
}

#[test]
fn a_moved_message_counts_for_its_new_segment() {
    let mut index = index();
    let slot = index
        .insert(1, &summary(7, &["a.example"]), 9000, &[])
        .unwrap();
    index.relocate(slot, 2, 480);
    let message = index.message(slot).unwrap();
    assert_eq!((message.segment, message.offset), (2, 480));
    assert_eq!((index.segments[&1].live, index.segments[&2].live), (0, 1));
}

#[test]
fn arrival_in_the_future_is_now() {
    let mut index = index();
    let slot = index
        .insert(1, &summary(7, &["a.example"]), 100, &[])
        .unwrap();
    assert_eq!(index.message(slot).unwrap().arrived, 100);
}

#[test]
fn ids_are_paged_in_order() {
    let mut index = index();
    for id in [5, 3, 9] {
        index
            .insert(1, &summary(id, &["a.example"]), 0, &[])
            .unwrap();
    }
    assert_eq!(index.after(None).collect::<Vec<_>>(), [3, 5, 9]);
    assert_eq!(index.after(Some(5)).collect::<Vec<_>>(), [9]);
    assert_eq!(index.after(Some(u64::MAX)).count(), 0);
}
