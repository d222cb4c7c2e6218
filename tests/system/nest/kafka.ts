// What the three programs share.
import { ConsoleLogger, LogLevel } from '@nestjs/common';
import { ClientProviderOptions, Transport } from '@nestjs/microservices';

/** `KAFKA=host:port,…`, as the cafe's own `--kafka`. */
export function brokers(): string[] {
  const { KAFKA } = process.env;
  if (!KAFKA) throw new Error('KAFKA names no brokers; set it to host:port,…');
  return KAFKA.split(',');
}

/** A producer under this name, with the settings that Nest and kafkajs come with. */
export function producer(name: string): ClientProviderOptions {
  const client = { clientId: name, brokers: brokers() };
  return { name, transport: Transport.KAFKA, options: { producerOnlyMode: true, client } };
}

/** One JSON text a line on the standard output, which is for nothing else. */
export function print(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Everything that Nest and kafkajs have to say goes to the standard error. */
export class Log extends ConsoleLogger {
  protected override printMessages(messages: unknown[], context?: string, level?: LogLevel): void {
    super.printMessages(messages, context, level, 'stderr');
  }
}

/** Runs a program; its failure is one line and exit code 1. */
export function run(main: () => Promise<void>): void {
  main().catch((error: Error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
}
