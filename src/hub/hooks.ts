/** What a caller may want of downloads: to see them, to stop them. */

/** Bytes of a download, over all of its files. */
export interface DownloadProgress {
  /** owner/name */
  readonly id: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** What a caller is told of downloads. */
export interface HubHooks {
  /** Stops a download; what came so far is kept for the next one. */
  readonly signal?: AbortSignal | undefined;
  /** Told while files are downloaded, never when the cache has them; it ends with `doneBytes` = `totalBytes`, or an error. */
  readonly onDownload?: ((progress: DownloadProgress) => void) | undefined;
  /** Sentences for a person, such as that the cache has to do. */
  readonly remark?: ((text: string) => void) | undefined;
}
