// A page of another site that tries every way in. `base` is the emulator's address; each way asks for a queue that is
// named after it, as root and with nothing that a browser would have to ask for first.
(base) => {
  const CREDENTIAL = '000000000000/20261125/us-east-1/sqs/aws4_request';
  const address = (way) =>
    `${base}/?Action=CreateQueue&QueueName=${way}&Version=2012-11-05&X-Amz-Algorithm=AWS4-HMAC-SHA256&x-amz-credential=${CREDENTIAL}`;
  const add = (tag, attributes, parent = document.body) => {
    const element = Object.assign(document.createElement(tag), attributes);
    parent.append(element);
    return element;
  };
  const frame = (name, attributes = {}) => add('iframe', { name, ...attributes });
  const post = (way, enctype) => {
    frame(`of-${way}`);
    const form = add('form', { action: address(way), method: 'post', enctype, target: `of-${way}` });
    add('input', { name: 'a', value: 'b' }, form);
    form.submit();
  };
  const script = (way) => `fetch(${JSON.stringify(address(way))}, { method: 'POST', mode: 'no-cors' })`;
  const html = (way) => `<script>${script(way)}</script>`;

  const ways = {
    fetch: (way) => fetch(address(way), { method: 'POST' }),
    get: (way) => fetch(address(way)),
    opaque: (way) => fetch(address(way), { method: 'POST', mode: 'no-cors' }),
    keepalive: (way) => fetch(address(way), { method: 'POST', mode: 'no-cors', keepalive: true }),
    asked: (way) => fetch(address(way), { method: 'POST', headers: { 'X-Way': way } }),
    xhr: (way) => {
      const request = new XMLHttpRequest();
      request.open('POST', address(way));
      request.send('a');
    },
    beacon: (way) => navigator.sendBeacon(address(way), 'a'),
    image: (way) => add('img', { src: address(way) }),
    script: (way) => add('script', { src: address(way) }),
    style: (way) => add('link', { rel: 'stylesheet', href: address(way) }),
    background: (way) => { add('div').style = `width: 1px; height: 1px; background: url("${address(way)}")`; },
    object: (way) => add('object', { data: address(way) }),
    embed: (way) => add('embed', { src: address(way) }),
    video: (way) => add('video', { src: address(way), preload: 'auto' }),
    frame: (way) => frame(way, { src: address(way) }),
    events: (way) => new EventSource(address(way)),
    urlencoded: (way) => post(way, 'application/x-www-form-urlencoded'),
    multipart: (way) => post(way, 'multipart/form-data'),
    plain: (way) => post(way, 'text/plain'),
    query: (way) => {
      frame(`of-${way}`);
      const form = add('form', { action: base, method: 'get', target: `of-${way}` });
      for (const [name, value] of new URL(address(way)).searchParams) add('input', { name, value }, form);
      form.submit();
    },
    ping: (way) => add('a', { href: '#', ping: address(way) }).click(),
    sandbox: (way) => frame(way, { sandbox: 'allow-scripts', srcdoc: html(way) }),
    data: (way) => frame(way, { src: `data:text/html,${encodeURIComponent(html(way))}` }),
    worker: (way) => new Worker(URL.createObjectURL(new Blob([script(way)]))),
    redirect: (way) =>
      fetch(`/redirect?to=${encodeURIComponent(address(way))}`, { method: 'POST', mode: 'no-cors' }),
  };
  for (const [way, send] of Object.entries(ways)) {
    // What is refused fails in all sorts of places.
    try { Promise.resolve(send(way)).catch(() => {}); } catch {}
  }
  window.opened = 0;
  for (const path of ['/', '/_aws/execute-api/00000000/dev']) {
    new WebSocket(base.replace('http', 'ws') + path).onopen = () => { window.opened += 1; };
  }
  return Object.keys(ways);
}
