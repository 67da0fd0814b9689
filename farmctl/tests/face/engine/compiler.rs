//! What answers on a published port: whatever the job, it is the same small object of the target.

use std::io;
use std::net::SocketAddr;

use distcc_wire::{Event, Limits, Outcome, Reply, RequestDecoder, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// Serves `target` until the handle is aborted.
pub(super) fn serve(address: SocketAddr, target: &str) -> io::Result<AbortHandle> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let object = object(target);
    let task = tokio::spawn(async move {
        while let Ok((client, _address)) = listener.accept().await {
            let object = object.clone();
            tokio::spawn(async move { drop(job(client, object).await) });
        }
    });
    Ok(task.abort_handle())
}

async fn job(mut client: TcpStream, object: Vec<u8>) -> io::Result<()> {
    let version = request(&mut client).await?;
    let reply = Reply {
        version,
        outcome: Outcome::Compiled {
            object,
            dependencies: Vec::new(),
        },
        stderr: Vec::new(),
        stdout: Vec::new(),
    };
    client.write_all(&reply.encode().unwrap()).await?;
    client.shutdown().await
}

/// Reads a whole request, and says in which version it came.
async fn request(client: &mut TcpStream) -> io::Result<Version> {
    let mut decoder = RequestDecoder::new(Limits::default());
    let (mut version, mut buffer) = (None, [0; 4096]);
    loop {
        let length = client.read(&mut buffer).await?;
        let mut input = &buffer[..length];
        while let Some(event) = decoder.next(&mut input).map_err(io::Error::other)? {
            match event {
                Event::Version(told) => version = Some(told),
                Event::BodyEnd => return version.ok_or(io::ErrorKind::InvalidData.into()),
                _ => {}
            }
        }
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// The smallest relocatable ELF64 object: its header (System V ABI, "ELF Header").
fn object(target: &str) -> Vec<u8> {
    let machine: u16 = match target {
        "x86_64" => 62,
        "aarch64" => 183,
        other => panic!("no object for {other}"),
    };
    let mut object = b"\x7fELF\x02\x01\x01".to_vec();
    object.resize(16, 0);
    object.extend(1_u16.to_le_bytes());
    object.extend(machine.to_le_bytes());
    object.extend(1_u32.to_le_bytes());
    object.extend([0; 28]);
    for half in [64_u16, 0, 0, 64, 0, 0] {
        object.extend(half.to_le_bytes());
    }
    object
}
