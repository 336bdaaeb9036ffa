import 'filepond/dist/filepond.min.css';
import { FilestoreUploader } from 'filestore-client/filepond';
import { useMemo, type FormEvent } from 'react';
import { FilePond } from 'react-filepond';
import { Pictures } from './Pictures';

/** A form with two fields for files: one with FilePond, one drawn by hand. Both submit ids. */
export function Apply({ url }: { url: string }) {
  const documents = useMemo(() => FilestoreUploader.options(url, { restoreAs: 'documents' }), [url]);

  function send(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const ids = new FormData(event.currentTarget).getAll('ids').map(String);
    // Here your back end gets them; then they are nobody's to take back.
    document.title = `Sent ${ids.length}`;
    FilestoreUploader.submitted(ids);
  }

  return (
    <form onSubmit={send}>
      <h1>Apply</h1>
      <h2>Documents</h2>
      <FilePond {...documents} name="ids" allowMultiple credits={false} />
      <h2>Pictures</h2>
      <Pictures url={url} />
      <button>Send</button>
    </form>
  );
}
