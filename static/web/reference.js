/** The reference of the API: Swagger UI draws openapi.json. It sends nothing: browsers hold no API key. */

const { SwaggerUIBundle } = /** @type {any} */ (globalThis);

const dark = matchMedia('(prefers-color-scheme: dark)');
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', follow);
follow();

SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  supportedSubmitMethods: [],
  // It would ask a server of Swagger's.
  validatorUrl: null,
  // Without a request to send there is nothing to authorise.
  plugins: [{ wrapComponents: { authorizeBtn: () => () => null, authorizeOperationBtn: () => () => null } }],
});
