import { useUploads } from 'filestore-client/react';

export function Pictures({ url }: { url: string }) {
  const { files, add, remove } = useUploads(url, { restoreAs: 'pictures' });
  return <>
    <input type="file" multiple aria-label="Add pictures" onChange={({ target }) => add(target.files ?? [])} />
    {files.map(({ key, name, state, progress, message, id }) => (
      <p key={key}>
        {name}: {state === 'uploading' ? `${Math.round(progress * 100)} %` : state} {message}
        <button type="button" aria-label={`Remove ${name}`} onClick={() => remove(key)}>Remove</button>
        {id && <input type="hidden" name="ids" value={id} />}
      </p>
    ))}
  </>;
}
