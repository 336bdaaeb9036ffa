/**
 * A file to show for one whose contents have gone to S3, and are not needed here any more. It has no type: plugins
 * would try to show its contents.
 *
 * @param {import('./client.js').UnsubmittedUpload} upload
 */
export function standIn({ name, size }) {
  return Object.defineProperty(new File([], name), 'size', { value: size });
}
