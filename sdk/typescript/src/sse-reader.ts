/** Takes the data of server-sent events out of bytes that are cut anywhere. */

export class SseReader {
  readonly #decoder = new TextDecoder();
  /** The line that is not whole yet. */
  #rest = '';
  #data: string | null = null;
  #endedInReturn = false;

  /** The data of each event that these bytes complete; comments and other fields are left out. */
  push(bytes: Uint8Array): readonly string[] {
    const piece = this.#decode(bytes);
    if (!piece.includes('\n')) {
      this.#rest += piece;
      return [];
    }
    const lines = (this.#rest + piece).split('\n');
    this.#rest = lines.pop() ?? '';
    const events: string[] = [];
    for (const line of lines) {
      if (line === '') this.#dispatch(events);
      else if (line.startsWith('data:')) this.#add(line);
    }
    return events;
  }

  /** Text in which every line ends with one line feed, although CR and LF may come apart. */
  #decode(bytes: Uint8Array): string {
    const text = this.#decoder.decode(bytes, { stream: true });
    if (text === '') return text;
    const piece = this.#endedInReturn && text.startsWith('\n') ? text.slice(1) : text;
    this.#endedInReturn = text.endsWith('\r');
    return piece.includes('\r') ? piece.replaceAll(/\r\n?/g, '\n') : piece;
  }

  #add(line: string): void {
    const value = line.slice(line.startsWith('data: ') ? 6 : 5);
    this.#data = this.#data === null ? value : `${this.#data}\n${value}`;
  }

  #dispatch(events: string[]): void {
    if (this.#data === null) return;
    events.push(this.#data);
    this.#data = null;
  }
}
