// Microphone, camera and screen. Browsers give them to secure pages only: https, or the machine's
// own address.

/** The microphone's track, or why there is none, as the name of a text of the bar. */
export async function openMicrophone(deviceId) {
  if (!navigator.mediaDevices?.getUserMedia) return { problem: 'insecure' };
  try {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: {
        deviceId,
        echoCancellation: true,
        noiseSuppression: true,
        autoGainControl: true,
        channelCount: 1,
      },
    });
    return { track: stream.getAudioTracks()[0] };
  } catch (error) {
    const isMissing = ['NotFoundError', 'OverconstrainedError'].includes(error.name);
    return { problem: isMissing ? 'noDevice' : 'denied' };
  }
}

/** The camera's track, in up to 720 lines. */
export async function openCamera(deviceId) {
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { deviceId, width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } },
  });
  return stream.getVideoTracks()[0];
}

/** The tracks of a shared screen: the picture, and its sound where the browser offers it. */
export async function openScreen() {
  const stream = await navigator.mediaDevices.getDisplayMedia({
    video: { frameRate: { ideal: 30, max: 30 } },
    audio: true,
  });
  const [picture] = stream.getVideoTracks();
  picture.contentHint = 'detail';
  return [picture, ...stream.getAudioTracks()];
}
