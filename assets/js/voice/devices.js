// Camera and screen. Browsers give them to secure pages only: https, or the machine's own address.

/** The camera's track, in up to 720 lines. */
export async function openCamera(deviceId) {
  const stream = await navigator.mediaDevices.getUserMedia({
    video: {
      ...(deviceId && { deviceId: { ideal: deviceId } }),
      width: { ideal: 1280 },
      height: { ideal: 720 },
      frameRate: { ideal: 30 },
    },
  });
  return stream.getVideoTracks()[0];
}

/**
 * The tracks of a shared screen: the picture, in up to 1080 lines, and its sound where the browser
 * offers it. `detail` keeps text sharp and drops pictures where the network is slow; `motion` keeps
 * them coming.
 */
export async function openScreen(purpose) {
  const stream = await navigator.mediaDevices.getDisplayMedia({
    video: { frameRate: { ideal: 30, max: 30 }, width: { max: 1920 }, height: { max: 1080 } },
    audio: true,
  });
  const [picture] = stream.getVideoTracks();
  picture.contentHint = purpose;
  return [picture, ...stream.getAudioTracks()];
}

/** The devices of a kind, `audioinput`, `audiooutput` or `videoinput`, that the browser names. */
export async function listDevices(kind) {
  const devices = await navigator.mediaDevices?.enumerateDevices?.() ?? [];
  const isNamed = (one) => one.kind === kind && one.deviceId && one.deviceId !== 'default';
  return devices.filter(isNamed).map(({ deviceId, label }) => ({ id: deviceId, name: label }));
}

/** Whether the browser can play sound on another device than the system's. */
export const canChooseSpeaker = () => 'setSinkId' in HTMLMediaElement.prototype;
