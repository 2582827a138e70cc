//! The reference: nginx as one would set it up before a model provider, with its key in place of the client's.

use crate::process::{Process, Program, free_address};
use crate::proxy::Proxy;
use anyhow::{Context, Result, bail};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

/// Fails, with what to do, unless nginx is there; its version otherwise.
pub(crate) fn version() -> Result<String> {
    let Ok(output) = Command::new("nginx").arg("-v").output() else {
        bail!("nginx is not on PATH; it is the reference (Debian, Ubuntu: apt-get install nginx-light)");
    };
    Ok(String::from_utf8_lossy(&output.stderr)
        .trim()
        .trim_start_matches("nginx version: ")
        .to_owned())
}

/// Starts it before `upstream`, with its files in `directory`.
pub(crate) fn start(directory: &Path, upstream: SocketAddr, core: u32) -> Result<Proxy> {
    std::fs::create_dir_all(directory)?;
    let (address, file) = (free_address()?, directory.join("nginx.conf"));
    std::fs::write(&file, configuration(directory, address, upstream))?;
    let process = Process::start(Program {
        file: "nginx".as_ref(),
        arguments: vec![
            "-p".into(),
            directory.display().to_string(),
            "-c".into(),
            file.display().to_string(),
        ],
        environment: Vec::new(),
        core,
        log: directory.join("nginx.log"),
        readiness: address,
    });
    Ok(Proxy {
        address,
        process: process.context("nginx")?,
    })
}

/// One process (a second, idle one would only add to its memory), bodies in memory, connections kept both ways, answers
/// passed on as they come. It logs no requests and does nothing that a plain reverse proxy need not.
fn configuration(directory: &Path, address: SocketAddr, upstream: SocketAddr) -> String {
    let directory = directory.display();
    format!(
        "daemon off;
master_process off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  client_max_body_size 32m;
  client_body_buffer_size 1m;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  upstream provider {{
    server {upstream};
    keepalive 256;
    keepalive_timeout 1h;
    keepalive_requests 1000000000;
  }}
  server {{
    listen {address};
    proxy_http_version 1.1;
    proxy_buffering off;
    proxy_buffer_size 16k;
    proxy_buffers 8 16k;
    proxy_read_timeout 10m;
    location = /readyz {{ return 200; }}
    location /v1/chat/ {{
      proxy_set_header Connection \"\";
      proxy_set_header Authorization \"Bearer {key}\";
      proxy_pass http://provider;
    }}
    location /v1/responses {{
      proxy_set_header Connection \"\";
      proxy_set_header Authorization \"Bearer {key}\";
      proxy_pass http://provider;
    }}
    location /v1/messages {{
      proxy_set_header Connection \"\";
      proxy_set_header X-Api-Key \"{key}\";
      proxy_pass http://provider;
    }}
    location /v1beta/ {{
      proxy_set_header Connection \"\";
      proxy_set_header X-Goog-Api-Key \"{key}\";
      proxy_pass http://provider;
    }}
  }}
}}
",
        key = crate::PROVIDER_KEY,
    )
}
