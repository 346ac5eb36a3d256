import { CommandFailed } from './command.ts';
import type { Terminal } from './terminal.ts';

/**
 * Asks a person a question that is answered with yes or no.
 * @param refused the message if the answer is no
 * @throws CommandFailed unless a person answers yes
 */
export async function confirm(terminal: Terminal, question: string, refused: string): Promise<void> {
  if (!terminal.interactive) throw new CommandFailed(`${question}\nNobody is here to answer: repeat it with --yes.`);
  const answer = await terminal.ask(`${question} [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandFailed(refused);
}
