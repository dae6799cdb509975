//! Scripts that give files to a page, as a paste or a drop does.

use super::session::Browser;

/// A script that puts a file of this many bytes, or a drawn picture, into the hands of the page as
/// paste or drop does.
pub fn transfer_script(how: &str, what: &str) -> String {
    let event = match how {
        "paste" => {
            "document.querySelector('.compose textarea').dispatchEvent(new ClipboardEvent('paste', \
                { clipboardData: data, bubbles: true, cancelable: true }))"
        }
        _ => {
            "document.querySelector('.scroller').dispatchEvent(new DragEvent('drop', { \
                dataTransfer: data, bubbles: true, cancelable: true }))"
        }
    };
    format!(
        "(() => {{ const data = new DataTransfer(); data.items.add({what}); {event}; return true; \
            }})()"
    )
}

/// A file of noise, so that no two pieces of it are alike.
pub fn noise(name: &str, mebibytes: u32) -> String {
    format!(
        "(() => {{ const bytes = new Uint32Array({mebibytes} << 18); let n = 1; for (let i = 0; i \
            < bytes.length; i++) bytes[i] = n = Math.imul(n, 1664525) + 1013904223 | 0; \
         return new File([bytes], '{name}'); }})()"
    )
}

pub const SILENT_WAV: &str = "(() => { const bytes = new DataView(new ArrayBuffer(44 + 8000)); \
    const text = (at, words) => [...words].forEach((c, i) => bytes.setUint8(at + i, \
    c.charCodeAt())); \
    text(0, 'RIFF'); bytes.setUint32(4, 36 + 8000, true); text(8, 'WAVEfmt '); bytes.setUint32(16, \
    16, true); bytes.setUint16(20, 1, true); bytes.setUint16(22, 1, true); \
    bytes.setUint32(24, 8000, true); bytes.setUint32(28, 16000, true); bytes.setUint16(32, 2, \
    true); bytes.setUint16(34, 16, true); text(36, 'data'); bytes.setUint32(40, 8000, true); \
    return new File([bytes], 'silence.wav'); })()";

pub async fn draw_picture(browser: &Browser) {
    browser
        .js(
            "(() => { const canvas = Object.assign(document.createElement('canvas'), { width: 900, \
            height: 500 }); \
             const pen = canvas.getContext('2d'); pen.fillStyle = '#08708a'; pen.fillRect(0, 0, \
            900, 500); \
             canvas.toBlob((blob) => { window.drawn = new File([blob], 'pool.png', { type: \
            'image/png' }); }); return true; })()",
        )
        .await;
    browser.wait_until("Boolean(window.drawn)").await;
}
