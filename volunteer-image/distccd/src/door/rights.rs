//! Descriptors from process to process, each message in one piece (`SCM_RIGHTS`, `unix(7)`).

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use tokio::io::Interest;
use tokio::net::UnixStream;

use super::handout::{MAX_BYTES, MAX_SOCKETS};

const ANCILLARY_BYTES: usize = rustix::cmsg_space!(ScmRights(MAX_SOCKETS));

/// Sends `words` and `sockets`, which stay open here.
pub(super) async fn send(
    stream: &UnixStream,
    words: &[u8],
    sockets: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let sent = stream.async_io(Interest::WRITABLE, || send_now(stream, words, sockets));
    // A socket that was never written to takes so few bytes whole.
    if sent.await? < words.len() {
        return Err(io::ErrorKind::WriteZero.into());
    }
    Ok(())
}

fn send_now(stream: &UnixStream, words: &[u8], sockets: &[BorrowedFd<'_>]) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); ANCILLARY_BYTES];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !ancillary.push(SendAncillaryMessage::ScmRights(sockets)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let words = [IoSlice::new(words)];
    Ok(sendmsg(
        stream,
        &words,
        &mut ancillary,
        SendFlags::NOSIGNAL,
    )?)
}

/// Receives what [`send`] sends; programs that this process starts do not inherit the sockets.
pub(super) async fn receive(stream: &UnixStream) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
    stream
        .async_io(Interest::READABLE, || receive_now(stream))
        .await
}

fn receive_now(stream: &UnixStream) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
    // One more than there may be, so that too many are noticed.
    let mut words = [0; MAX_BYTES + 1];
    let mut space = [MaybeUninit::uninit(); ANCILLARY_BYTES];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(
        stream,
        &mut [IoSliceMut::new(&mut words)],
        &mut ancillary,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    let sockets = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(sockets) => Some(sockets),
        _ => None,
    });
    let sockets = sockets.flatten().collect();
    if received.flags.contains(ReturnFlags::CTRUNC) {
        let why = "more descriptors came than a door gives, or than this process may have";
        return Err(io::Error::other(why));
    }
    if received.bytes == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((words[..received.bytes].to_vec(), sockets))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::fd::AsFd;

    use rustix::io::{FdFlags, fcntl_getfd};

    use super::*;

    #[tokio::test]
    async fn sockets_arrive_with_their_words_and_are_not_inherited() {
        let (door, volunteer) = UnixStream::pair().unwrap();
        let sockets = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let borrowed: Vec<_> = sockets.iter().map(AsFd::as_fd).collect();
        send(&door, b"words", &borrowed).await.unwrap();
        let (words, arrived) = receive(&volunteer).await.unwrap();
        assert_eq!(words, b"words");
        for (sent, arrived) in sockets.iter().zip(arrived) {
            assert!(fcntl_getfd(&arrived).unwrap().contains(FdFlags::CLOEXEC));
            let arrived = TcpListener::from(arrived).local_addr().unwrap();
            assert_eq!(arrived, sent.local_addr().unwrap());
        }
    }

    #[tokio::test]
    async fn too_many_descriptors_and_none_at_all_are_told_apart_from_words() {
        let (door, volunteer) = UnixStream::pair().unwrap();
        let one = TcpListener::bind("127.0.0.1:0").unwrap();
        let many = vec![one.as_fd(); MAX_SOCKETS + 6];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_SOCKETS + 6))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        assert!(ancillary.push(SendAncillaryMessage::ScmRights(&many)));
        let words = [IoSlice::new(b"words")];
        sendmsg(&door, &words, &mut ancillary, SendFlags::NOSIGNAL).unwrap();
        let error = receive(&volunteer).await.unwrap_err();
        assert!(error.to_string().starts_with("more descriptors"), "{error}");

        door.try_write(b"words").unwrap();
        let (words, sockets) = receive(&volunteer).await.unwrap();
        assert_eq!((words.as_slice(), sockets.len()), (&b"words"[..], 0));

        drop(door);
        let error = receive(&volunteer).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert!(send(&volunteer, b"words", &[]).await.is_err());
    }
}
