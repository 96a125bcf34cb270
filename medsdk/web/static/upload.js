// Sends one picture and tells how far it is. XMLHttpRequest, because fetch cannot tell the progress of an upload.

const TRIES = 5;

export class LostError extends Error {}

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

function sendOnce(address, form, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    request.addEventListener("load", () => resolve(request));
    request.addEventListener("error", () => reject(new LostError()));
    request.addEventListener("timeout", () => reject(new LostError()));
    request.open("POST", address);
    request.send(form);
  });
}

// Resolves to the HTML of the answer. A busy server is asked again when it said.
export async function send(address, form, { onProgress, onBusy }) {
  for (let tries = 1; ; tries += 1) {
    const request = await sendOnce(address, form, onProgress);
    if (request.responseURL.includes("/sign-in")) location.assign("/sign-in");
    const wait = Number(request.getResponseHeader("Retry-After"));
    if (request.status !== 503 || !wait || tries === TRIES) {
      const type = request.getResponseHeader("Content-Type") || "";
      if (!type.startsWith("text/html")) throw new LostError();
      return request.responseText;
    }
    onBusy();
    await pause(wait);
  }
}
