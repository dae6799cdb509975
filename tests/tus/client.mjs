// Uploads with the protocol's own client, as a page would: in pieces, with a break in between, found again, ended, refused.
// The server, a cookie, a space and a file to send come as arguments; what happened is printed as JSON.
import fs from "node:fs";
import * as tus from "tus-js-client";

const [server, cookie, space, path, storage] = process.argv.slice(2);
const size = fs.statSync(path).size;
const piece = 256 * 1024;
const common = () => ({
  endpoint: `${server}/uploads`,
  headers: { Cookie: cookie },
  metadata: { filename: "from the client.bin", kind: "cabinet.document", place: space },
  chunkSize: piece,
  uploadSize: size,
  urlStorage: new tus.FileUrlStorage(storage),
  retryDelays: null,
});

// Starts an upload and waits until it ends, fails, or `until` says that it is enough.
function run(options, prepare = async () => {}, until = () => false) {
  return new Promise((resolve, reject) => {
    let file = "";
    const upload = new tus.Upload(fs.createReadStream(path), {
      ...common(),
      ...options,
      onAfterResponse: (_, response) => (file = response.getHeader("Tidepool-File") ?? file),
      onChunkComplete: (_, sent) => {
        if (until(sent)) upload.abort().then(() => resolve({ upload, file, sent }), reject);
      },
      onSuccess: () => resolve({ upload, file, sent: size }),
      onError: reject,
    });
    prepare(upload).then(() => upload.start(), reject);
  });
}

const refused = (promise) => promise.then(() => ({ status: 0 }), (error) => ({
  status: error.originalResponse?.getStatus(),
  body: error.originalResponse?.getBody(),
}));

const broken = await run({}, undefined, (sent) => sent >= 2 * piece);
let found = 0;
const resumed = await run({}, async (upload) => {
  const previous = await upload.findPreviousUploads();
  found = previous.length;
  upload.resumeFromPreviousUpload(previous[0]);
});
const ended = await run({ metadata: { ...common().metadata, filename: "ended.bin" } }, undefined, (sent) => sent >= piece);
await tus.Upload.terminate(ended.upload.url, { headers: { Cookie: cookie } });
const gone = await fetch(ended.upload.url, { method: "HEAD", headers: { Cookie: cookie, "Tus-Resumable": "1.0.0" } });
const elsewhere = await refused(run({ metadata: { ...common().metadata, place: "12345" } }));
const stranger = await refused(run({ headers: {} }));

console.log(JSON.stringify({
  found,
  same: resumed.upload.url === broken.upload.url,
  brokenAt: broken.sent,
  file: resumed.file,
  gone: gone.status,
  elsewhere,
  stranger,
}));
