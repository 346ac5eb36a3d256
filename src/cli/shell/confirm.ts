import { CommandFailed } from './command.ts';
import type { Terminal } from './terminal.ts';

/**
 * @param refused what is said when the answer is no
 * @throws CommandFailed unless a person says yes
 */
export async function confirm(terminal: Terminal, question: string, refused: string): Promise<void> {
  if (!terminal.interactive) throw new CommandFailed(`${question}\nNobody is here to answer: repeat it with --yes.`);
  const answer = await terminal.ask(`${question} [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandFailed(refused);
}
