import { createGateway } from '../gateway.ts';
import { CONFIG_OPTION, CONFIG_USAGE, type Command, readArguments } from './command.ts';
import { commandConfig } from './config-file.ts';
import { portProblem } from './port-problem.ts';
import { EXIT_OK } from './terminal.ts';
import { stopped } from './until-stopped.ts';

export const serveCommand: Command = {
  usage: `serve [options]\n\n${CONFIG_USAGE}`,
  run: async (args, terminal) => {
    const { values } = readArguments(args, CONFIG_OPTION, { most: 0 });
    const config = commandConfig(values.config, terminal);
    const { stop } = terminal;
    const gateway = await createGateway(config);
    try {
      await gateway.start().catch((error: unknown) => {
        throw portProblem(error, 'The settings listen and admin say which ports are used.');
      });
      await stopped(stop);
    } finally {
      await gateway.stop();
    }
    return EXIT_OK;
  },
};
