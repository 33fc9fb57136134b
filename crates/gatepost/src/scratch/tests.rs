//! What is sent arrives, and the end is an empty slice.

use super::*;

#[tokio::test]
async fn pieces_arrive_in_order_until_the_end() {
    let mut source: &[u8] = &[b'x'; 100_000];
    let mut sizes = Vec::new();
    loop {
        let size = read(&mut source, <[u8]>::len).await.unwrap();
        sizes.push(size);
        if size == 0 {
            break;
        }
    }
    assert_eq!(sizes, [SCRATCH_BYTES, 100_000 - SCRATCH_BYTES, 0]);
}
