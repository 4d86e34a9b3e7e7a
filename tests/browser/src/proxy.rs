use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Between a browser and an application: it loses answers when told to. What it loses the
/// application has made and sent; the browser's connection just breaks.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// How a request begins whose answer is lost.
    to_lose: Mutex<Option<String>>,
    lost: AtomicUsize,
}

impl Proxy {
    /// In front of an application on this address.
    pub async fn before(application: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, shared) = (listener.local_addr().unwrap(), Arc::<Shared>::default());
        let proxy = Self { address, shared: Arc::clone(&shared) };
        tokio::spawn(async move {
            while let Ok((browser, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    // A connection that breaks has nobody left to tell.
                    let _ = carry(browser, application, &shared).await;
                });
            }
        });
        proxy
    }

    /// From now on, loses the answers to requests that begin so, such as `POST /sign-in`. A
    /// browser asks again by itself, once for each connection that it had open.
    pub fn lose(&self, request: &str) {
        *self.shared.to_lose.lock().unwrap() = Some(request.to_owned());
    }

    /// From now on, loses none.
    pub fn lose_nothing(&self) {
        *self.shared.to_lose.lock().unwrap() = None;
    }

    /// How many answers were lost.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.shared.lost.load(SeqCst)
    }
}

impl Shared {
    fn loses(&self, request: &[u8]) -> bool {
        let to_lose = self.to_lose.lock().unwrap();
        to_lose.as_ref().is_some_and(|start| request.starts_with(start.as_bytes()))
    }
}

/// HTTP/1.1 without pipelining, as browsers speak it: what comes after an answer has begun
/// is the next request.
async fn carry(
    mut browser: TcpStream,
    application: SocketAddr,
    shared: &Shared,
) -> std::io::Result<()> {
    let mut application = TcpStream::connect(application).await?;
    let (mut request, mut answer) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let (mut is_new, mut is_lost) = (true, false);
    loop {
        tokio::select! {
            count = browser.read(&mut request) => {
                let sent = &request[..count?];
                if sent.is_empty() {
                    return Ok(());
                }
                is_lost = if is_new { shared.loses(sent) } else { is_lost };
                is_new = false;
                application.write_all(sent).await?;
            }
            count = application.read(&mut answer) => {
                let received = &answer[..count?];
                if received.is_empty() {
                    return Ok(());
                }
                if is_lost {
                    shared.lost.fetch_add(1, SeqCst);
                    return Ok(());
                }
                is_new = true;
                browser.write_all(received).await?;
            }
        }
    }
}
