/**
 * The client's options in the forms that FilePond and its plugins take.
 *
 * @param {import('./filepond.js').UploaderOptions & { fileSizeBase?: number }} options
 * @returns {import('./client.js').ClientOptions}
 */
export function clientOptions({ maxFileSize, acceptedFileTypes, fileSizeBase = 1000, maxParallelUploads, ...others }) {
  const types = typeof acceptedFileTypes === 'string' ? acceptedFileTypes.split(',').map((type) => type.trim()) : acceptedFileTypes;
  const size = bytes(maxFileSize, fileSizeBase);
  return {
    ...others,
    ...(size > 0 && { maxFileSize: size }),
    ...(types && { acceptedFileTypes: types.filter(Boolean) }),
    ...(maxParallelUploads && { parallelUploads: maxParallelUploads }),
  };
}

/**
 * @param {number | string | null | undefined} size such as 2048, '2048', '10MB', '1.5 GB'
 * @param {number} base
 */
function bytes(size, base) {
  const [, number, unit = ''] = /^\s*([\d.]+)\s*([KMGT]?)i?B?\s*$/i.exec(String(size ?? '')) ?? [];
  return number ? Number(number) * base ** ' KMGT'.indexOf(unit.toUpperCase() || ' ') : 0;
}
